#include "daemon/run.h"

#include <event2/event.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "daemon/exit.h"
#include "daemon/notify.h"
#include "daemon/sockets.h"
#include "daemon/teller.h"
#include "daemon/worker.h"
#include "front/admin.h"
#include "plan/tls_context.h"

enum { WORKERS_MAX = 256, LARGE_BYTES = 128 * 1024 };

/* The process; one object on gd_run's stack. */
struct process {
    struct gd_plan *plan;
    struct gd_loop *loop; /* of the main thread: signals and the admin endpoint */
    struct gd_sockets sockets;
    struct gd_address *addresses;
    struct gd_mock_thread *mocks;
    struct gd_worker *workers[WORKERS_MAX];
    struct gd_stats *stats[WORKERS_MAX];
    unsigned worker_count;
    struct gd_teller teller;
    unsigned draining; /* workers that have not drained yet */
    struct gd_admin *admin;
    struct event *signals[2];
    struct gd_timer drain_limit;
    _Atomic int life;
};

/* The cores this process may use: containers and taskset count. */
static unsigned core_count(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

    return n < 1 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : (unsigned)n;
}

/* Every connection is a descriptor: take what the system allows. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        gd_log(GD_LOG_WARN, "the limit of open files could not be raised");
}

static void on_drain_limit(void *arg)
{
    struct process *process = arg;

    gd_log(GD_LOG_WARN, "drain.timeout has passed; open requests are cut off");
    gd_loop_stop(process->loop);
}

static void on_worker_drained(void *arg)
{
    struct process *process = arg;

    if (--process->draining == 0)
        gd_loop_stop(process->loop);
}

static void begin_drain(struct process *process)
{
    gd_log(GD_LOG_INFO, "draining");
    atomic_store(&process->life, GD_LIFE_DRAINING);
    gd_notify("STOPPING=1");
    process->draining = process->worker_count;
    gd_timer_arm(&process->drain_limit, process->plan->drain_timeout_ms);
    /* The workers have dups; while one descriptor is open, the kernel goes on accepting.
     */
    gd_sockets_close_listens(&process->sockets, process->plan);
    for (unsigned i = 0; i < process->worker_count; i++)
        gd_worker_drain(process->workers[i]);
}

static void on_signal(evutil_socket_t signo, short what, void *arg)
{
    struct process *process = arg;

    (void)signo;
    (void)what;
    if (atomic_load(&process->life) != GD_LIFE_DRAINING) {
        begin_drain(process);
        return;
    }
    gd_log(GD_LOG_WARN, "ended by a second signal");
    gd_loop_stop(process->loop);
}

static bool start_signals(struct process *process, struct gd_err *err)
{
    static const int signos[2] = {SIGTERM, SIGINT};

    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < 2; i++) {
        process->signals[i] =
            evsignal_new(gd_loop_base(process->loop), signos[i], on_signal, process);
        if (process->signals[i] == NULL || event_add(process->signals[i], NULL) != 0)
            return gd_err_set(err, "no signal handler");
    }
    return true;
}

static bool start_workers(struct process *process, struct gd_err *err)
{
    unsigned count = process->plan->workers ? process->plan->workers : core_count();

    for (unsigned i = 0; i < count && i < WORKERS_MAX; i++) {
        struct gd_worker_config config = {
            .index = i,
            .plan = process->plan,
            .addresses = process->addresses,
            .fds = process->sockets.fds,
            .fd_count = process->sockets.count,
            .home = process->loop,
            .on_drained = on_worker_drained,
            .arg = process,
        };

        process->workers[i] = gd_worker_start(&config, err);
        if (process->workers[i] == NULL)
            return false;
        process->stats[i] = gd_worker_stats(process->workers[i]);
        process->worker_count++;
    }
    return true;
}

static bool start_admin(struct process *process, struct gd_err *err)
{
    struct gd_admin_source source = {.plan = process->plan,
                                     .stats = process->stats,
                                     .worker_count = process->worker_count,
                                     .life = &process->life,
                                     .tell = gd_teller_tell,
                                     .teller = &process->teller};

    process->teller = (struct gd_teller){.home = process->loop,
                                         .workers = process->workers,
                                         .worker_count = &process->worker_count};
    if (process->sockets.admin_fd < 0)
        return true;
    process->admin = gd_admin_new(process->loop, &source, err);
    return process->admin &&
           gd_admin_listen(process->admin, process->sockets.admin_fd, err);
}

static void on_libevent_message(int severity, const char *text)
{
    gd_log(severity >= EVENT_LOG_ERR ? GD_LOG_ERROR : GD_LOG_WARN, "libevent: %s", text);
}

/* It has said why; other threads may still run, so nothing is cleaned up. */
static void on_libevent_fatal(int code)
{
    (void)code;
    _exit(GD_EXIT_SYSTEM);
}

static void warn_unverified(const struct gd_plan *plan)
{
    for (unsigned i = 0; i < plan->upstream_count; i++)
        if (plan->upstreams[i].tls && !plan->upstreams[i].tls->verify)
            gd_log(GD_LOG_WARN,
                   "upstream %s: tls.verify is false: whoever is on the way can read and "
                   "change everything",
                   plan->upstreams[i].name);
}

static bool start(struct process *process, struct gd_err *err)
{
    /* Large blocks go back to the system when they are freed, not to wait in a heap for
     * others. glibc would raise this limit at the first of them. */
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    /* Without descriptors libevent ends the process on its own. */
    event_set_log_callback(on_libevent_message);
    event_set_fatal_callback(on_libevent_fatal);
    gd_log_set_level(process->plan->log_level);
    warn_unverified(process->plan);
    raise_descriptor_limit();
    process->loop = gd_loop_new(err);
    if (process->loop == NULL)
        return false;
    gd_timer_init(&process->drain_limit, process->loop, on_drain_limit, process);
    process->addresses = gd_addresses_resolve(process->plan);
    if (!start_signals(process, err) ||
        !gd_sockets_open(&process->sockets, process->plan, err))
        return false;
    process->mocks = gd_mock_thread_start(process->plan, process->addresses, err);
    return process->mocks && start_workers(process, err) && start_admin(process, err);
}

/* Tolerates a process that has only half started. */
static void finish(struct process *process)
{
    for (unsigned i = 0; i < process->worker_count; i++)
        gd_worker_stop(process->workers[i]);
    gd_teller_end(&process->teller);
    gd_admin_free(process->admin);
    gd_mock_thread_stop(process->mocks);
    gd_sockets_close(&process->sockets, process->plan);
    for (int i = 0; i < 2; i++)
        if (process->signals[i])
            event_free(process->signals[i]);
    if (process->loop)
        gd_timer_disarm(&process->drain_limit);
    gd_loop_free(process->loop);
    gd_free(process->addresses);
    gd_plan_unref(process->plan);
}

int gd_run(struct gd_plan *plan)
{
    struct process process = {.plan = plan, .sockets = {.admin_fd = -1}};
    struct gd_err err;

    if (!start(&process, &err)) {
        gd_log(GD_LOG_ERROR, "%s", err.text);
        finish(&process);
        return GD_EXIT_SYSTEM;
    }
    atomic_store(&process.life, GD_LIFE_READY);
    gd_log(GD_LOG_INFO, "ready with %u workers", process.worker_count);
    gd_notify("READY=1");
    gd_loop_run(process.loop);
    finish(&process);
    gd_log(GD_LOG_INFO, "ended");
    return GD_EXIT_OK;
}
