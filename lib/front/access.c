#include "front/access.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/ring.h"
#include "front/access_line.h"

enum {
    COLLECT_MS = 50,            /* from the first record to the writing of it */
    WRITE_BYTES = 64 * 1024,    /* … or when there is as much */
    LINES_MAX_BYTES = 16 << 20, /* of one batch */
    PATIENCE_MS = 100,          /* with a reader that takes nothing */
    END_PATIENCE_S = 3,         /* at the end */
    IDLE_MS = 60000,
};

struct gd_access_lane {
    struct gd_access *access;
    struct gd_ring *ring;
    _Atomic uint64_t full;      /* records that found no room: the worker counts */
    _Atomic uint64_t unwritten; /* lines that were lost on the way out: the thread does */
};

/* How to write: made by the main thread, taken over by the writing one. */
struct setting {
    struct gd_plan *plan;
    struct gd_log_out *out; /* NULL: nothing is written */
};

struct gd_access {
    struct gd_access_lane *lanes;
    unsigned lane_count;
    int wake_fd;
    pthread_t thread;
    bool running; /* the main thread's */
    atomic_bool stopping, asleep, pressed, reopening;
    struct setting *_Atomic next;
    /* the writing thread's */
    struct setting *now;
    struct gd_access_clock clock;
    struct gd_buf lines;
    struct gd_access_lane *source; /* of the lines at hand */
    uint64_t told_lost;
};

/* Settings ------------------------------------------------------------------------------
 */

static void setting_free(struct setting *setting)
{
    if (setting == NULL)
        return;
    gd_log_out_free(setting->out);
    gd_plan_unref(setting->plan);
    gd_free(setting);
}

static struct setting *setting_new(struct gd_plan *plan, struct gd_err *err)
{
    struct setting *setting = gd_alloc(sizeof(*setting));

    setting->plan = gd_plan_ref(plan);
    if (plan->log.access.place.kind != GD_LOG_OFF) {
        setting->out = gd_log_out_new(&plan->log.access.place, err);
        if (setting->out == NULL) {
            setting_free(setting);
            return NULL;
        }
    }
    return setting;
}

/* Waking --------------------------------------------------------------------------------
 */

static void wake(void *arg)
{
    struct gd_access *access = arg;
    uint64_t one = 1;
    ssize_t n = write(access->wake_fd, &one, sizeof(one));

    (void)n; /* a counter that is full wakes as well */
}

void gd_access_put(struct gd_access_lane *lane, const struct gd_record *record)
{
    struct gd_access *access = lane->access;

    if (!gd_ring_put(lane->ring, record, record->bytes))
        atomic_store_explicit(&lane->full,
                              atomic_load_explicit(&lane->full, memory_order_relaxed) + 1,
                              memory_order_relaxed);
    /* Whoever goes to sleep says so before it looks a last time. */
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&access->asleep, memory_order_relaxed)) {
        if (atomic_exchange(&access->asleep, false))
            wake(access);
    } else if (gd_ring_crowded(lane->ring) && !atomic_exchange(&access->pressed, true)) {
        wake(access);
    }
}

/* Writing -------------------------------------------------------------------------------
 */

static void lose(struct gd_access_lane *lane, unsigned count)
{
    atomic_fetch_add_explicit(&lane->unwritten, count, memory_order_relaxed);
}

static void write_lines(struct gd_access *access)
{
    unsigned lost;

    if (access->lines.len == 0)
        return;
    lost = gd_log_out_write(access->now->out, gd_buf_span(&access->lines),
                            GD_SEVERITY_INFO, NULL, PATIENCE_MS);
    if (lost)
        lose(access->source, lost);
    access->lines.len = 0;
}

static void drain_lane(struct gd_access *access, struct gd_access_lane *lane)
{
    const struct gd_record *record;
    size_t len;

    access->source = lane;
    while ((record = gd_ring_peek(lane->ring, &len)) != NULL) {
        if (access->now && access->now->out &&
            !gd_access_line(&access->now->plan->log.access, record, &access->clock,
                            &access->lines))
            lose(lane, 1);
        gd_ring_drop(lane->ring);
        if (access->lines.len >= WRITE_BYTES)
            write_lines(access);
    }
    write_lines(access);
}

/* Says so, in the other log, when more have been lost. */
static void tell_losses(struct gd_access *access)
{
    static struct gd_log_limit limit;
    uint64_t lost = 0;

    for (unsigned i = 0; i < access->lane_count; i++)
        lost += atomic_load_explicit(&access->lanes[i].full, memory_order_relaxed) +
                atomic_load_explicit(&access->lanes[i].unwritten, memory_order_relaxed);
    if (lost == access->told_lost)
        return;
    gd_log_limited(&limit, GD_LOG_WARN,
                   "%llu lines of the access log were lost so far: whoever takes them is "
                   "too slow, or full",
                   (unsigned long long)lost);
    access->told_lost = lost;
}

static void take_setting(struct gd_access *access)
{
    struct setting *next = atomic_exchange(&access->next, NULL);
    struct gd_err err;

    if (next) {
        setting_free(access->now);
        access->now = next;
    }
    if (!atomic_exchange(&access->reopening, false))
        return;
    if (access->now && access->now->out && !gd_log_out_reopen(access->now->out, &err))
        gd_log(GD_LOG_ERROR, "%s", err.text);
    gd_log_reopen();
}

/* What is there by now goes by the old setting, where it came from. */
static void work(struct gd_access *access)
{
    atomic_store(&access->pressed, false);
    gd_access_clock_set(&access->clock);
    if (atomic_load(&access->reopening) || atomic_load(&access->next)) {
        for (unsigned i = 0; access->now && i < access->lane_count; i++)
            drain_lane(access, &access->lanes[i]);
        take_setting(access);
    }
    for (unsigned i = 0; i < access->lane_count; i++)
        drain_lane(access, &access->lanes[i]);
    tell_losses(access);
    gd_log_flush();
}

/* Sleeping ------------------------------------------------------------------------------
 */

static bool has_work(struct gd_access *access)
{
    size_t len;

    for (unsigned i = 0; i < access->lane_count; i++)
        if (gd_ring_peek(access->lanes[i].ring, &len))
            return true;
    return atomic_load(&access->stopping);
}

/* Nothing that comes now shall go by the setting that is on its way out. */
static bool is_urgent(struct gd_access *access)
{
    return atomic_load(&access->stopping) || atomic_load(&access->reopening) ||
           atomic_load(&access->next);
}

static void wait_ms(struct gd_access *access, int ms)
{
    struct pollfd in = {.fd = access->wake_fd, .events = POLLIN};
    uint64_t count;

    if (poll(&in, 1, ms) == 1 && read(access->wake_fd, &count, sizeof(count)) < 0 &&
        errno != EAGAIN)
        gd_log(GD_LOG_ERROR, "the access log cannot be woken");
}

static void *run(void *arg)
{
    struct gd_access *access = arg;

    while (!atomic_load(&access->stopping)) {
        atomic_store(&access->asleep, true);
        atomic_thread_fence(memory_order_seq_cst);
        if (!has_work(access))
            wait_ms(access, IDLE_MS);
        atomic_store(&access->asleep, false);
        if (!is_urgent(access))
            wait_ms(access, COLLECT_MS);
        work(access);
    }
    work(access);
    return NULL;
}

/* Life ----------------------------------------------------------------------------------
 */

struct gd_access *gd_access_new(unsigned workers, size_t buffer)
{
    struct gd_access *access = gd_alloc(sizeof(*access));

    access->lanes = gd_alloc_array(workers, sizeof(*access->lanes));
    access->lane_count = workers;
    access->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    gd_buf_init(&access->lines, NULL, LINES_MAX_BYTES);
    for (unsigned i = 0; i < workers; i++) {
        access->lanes[i].access = access;
        access->lanes[i].ring = gd_ring_new(buffer);
    }
    return access;
}

/* Signals are for the main thread. */
static bool start(struct gd_access *access, struct gd_err *err)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc =
        access->wake_fd < 0 ? EMFILE : pthread_create(&access->thread, NULL, run, access);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return gd_err_set(err, "no thread could be started for the logs");
    pthread_setname_np(access->thread, "logs");
    access->running = true;
    gd_log_set_writer(wake, access);
    return true;
}

bool gd_access_configure(struct gd_access *access, struct gd_plan *plan,
                         struct gd_err *err)
{
    struct setting *setting = setting_new(plan, err);

    if (setting == NULL)
        return false;
    if (!access->running && (setting->out || plan->log.error_place.kind == GD_LOG_FILE) &&
        !start(access, err)) {
        setting_free(setting);
        return false;
    }
    setting_free(atomic_exchange(&access->next, setting));
    if (access->running)
        wake(access);
    return true;
}

void gd_access_reopen(struct gd_access *access)
{
    if (!access->running) {
        gd_log_reopen();
        return;
    }
    atomic_store(&access->reopening, true);
    wake(access);
}

static bool join(struct gd_access *access)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += END_PATIENCE_S;
    return pthread_clockjoin_np(access->thread, NULL, CLOCK_MONOTONIC, &until) == 0;
}

void gd_access_free(struct gd_access *access)
{
    if (access == NULL)
        return;
    if (access->running) {
        gd_log_set_writer(NULL, NULL);
        atomic_store(&access->stopping, true);
        wake(access);
        if (!join(access))
            return; /* a disk hangs; the thread has all of it until the process ends */
        gd_log_flush();
    }
    setting_free(access->now);
    setting_free(atomic_load(&access->next));
    for (unsigned i = 0; i < access->lane_count; i++)
        gd_ring_free(access->lanes[i].ring);
    if (access->wake_fd >= 0)
        close(access->wake_fd);
    gd_buf_free(&access->lines);
    gd_free(access->lanes);
    gd_free(access);
}

struct gd_access_lane *gd_access_lane(struct gd_access *access, unsigned worker)
{
    return &access->lanes[worker];
}

void gd_access_count(const struct gd_access *access, uint64_t *values)
{
    for (unsigned i = 0; access && i < access->lane_count; i++) {
        const struct gd_access_lane *lane = &access->lanes[i];

        values[GD_WORKER_LOG_FULL] +=
            atomic_load_explicit(&lane->full, memory_order_relaxed);
        values[GD_WORKER_LOG_UNWRITTEN] +=
            atomic_load_explicit(&lane->unwritten, memory_order_relaxed);
    }
}
