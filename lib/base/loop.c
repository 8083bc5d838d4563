#include "base/loop.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

/* libevent allows 256 shared timeout queues a base; a few stay free for others. */
enum { SHARED_TIMEOUTS = 200 };

/* How long a large block may lie unused in the cache; at most twice that. */
enum { BLOCKS_AGE_MS = 1000 };

struct shared_timeout {
    uint32_t ms;
    const struct timeval *tv;
};

struct posted {
    struct posted *next;
    void (*fn)(void *arg);
    void *arg;
};

struct gd_loop {
    struct event_base *base;
    struct gd_blocks blocks;
    uint64_t now_us;         /* 0: not read in this turn */
    int64_t wall_s;          /* 0: not read in this turn */
    struct gd_work deferred; /* head of a ring */
    struct gd_grave *graves;
    struct shared_timeout shared[SHARED_TIMEOUTS];
    unsigned shared_count;
    atomic_bool stopping;
    bool aging; /* the timer below is armed */
    struct gd_timer age;
    /* Posts of other threads: a list under a lock, and a descriptor that wakes the loop.
     */
    pthread_mutex_t lock;
    struct posted *posts, **posts_tail;
    int wake_fd;
    struct event wake;
};

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct gd_loop *loop = arg;
    struct posted *posts;
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof(count));

    (void)n;
    (void)what;
    pthread_mutex_lock(&loop->lock);
    posts = loop->posts;
    loop->posts = NULL;
    loop->posts_tail = &loop->posts;
    pthread_mutex_unlock(&loop->lock);
    while (posts) {
        struct posted *post = posts;

        posts = post->next;
        post->fn(post->arg);
        gd_free(post);
    }
}

static void on_age(void *arg)
{
    struct gd_loop *loop = arg;

    loop->aging = false;
    gd_blocks_age(&loop->blocks);
}

static struct event_base *base_new(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config == NULL)
        return NULL;
    if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0)
        base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

struct gd_loop *gd_loop_new(struct gd_err *err)
{
    struct gd_loop *loop = gd_alloc(sizeof(*loop));

    loop->deferred.next = loop->deferred.prev = &loop->deferred;
    loop->posts_tail = &loop->posts;
    pthread_mutex_init(&loop->lock, NULL);
    gd_blocks_init(&loop->blocks);
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    loop->base = base_new();
    if (loop->base == NULL || loop->wake_fd < 0) {
        gd_err_errno(err, "no event loop");
        gd_loop_free(loop);
        return NULL;
    }
    event_assign(&loop->wake, loop->base, loop->wake_fd, EV_READ | EV_PERSIST, on_wake,
                 loop);
    event_add(&loop->wake, NULL);
    gd_timer_init(&loop->age, loop, on_age, loop);
    return loop;
}

/* Runs what was deferred up to now; what that defers in turn waits for the next turn, so
 * that deferring cannot starve the sockets. */
static void run_deferred(struct gd_loop *loop)
{
    struct gd_work last = {0};
    struct gd_work *head = &loop->deferred;

    if (head->next == head)
        return;
    last.prev = head->prev;
    last.next = head;
    head->prev->next = &last;
    head->prev = &last;
    while (head->next != &last) {
        struct gd_work *work = head->next;

        gd_work_cancel(work);
        work->run(work->arg);
    }
    gd_work_cancel(&last);
}

static void empty_graveyard(struct gd_loop *loop)
{
    while (loop->graves) {
        struct gd_grave *grave = loop->graves;

        loop->graves = grave->next;
        grave->destroy(grave->object);
    }
}

void gd_loop_free(struct gd_loop *loop)
{
    if (loop == NULL)
        return;
    run_deferred(loop);
    empty_graveyard(loop);
    if (loop->base) {
        if (loop->wake.ev_base)
            event_del(&loop->wake);
        gd_timer_disarm(&loop->age);
        event_base_free(loop->base);
    }
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    while (loop->posts) {
        struct posted *post = loop->posts;

        loop->posts = post->next;
        gd_free(post);
    }
    pthread_mutex_destroy(&loop->lock);
    gd_blocks_clear(&loop->blocks);
    gd_free(loop);
}

/* While there is nothing to age, no timer wakes an idle loop up. */
static void age_blocks(struct gd_loop *loop)
{
    if (loop->aging || loop->blocks.large_bytes == 0)
        return;
    loop->aging = true;
    gd_timer_arm(&loop->age, BLOCKS_AGE_MS);
}

static void turn(struct gd_loop *loop)
{
    bool waiting = loop->deferred.next == &loop->deferred;

    loop->now_us = 0;
    loop->wall_s = 0;
    age_blocks(loop);
    event_base_loop(loop->base, EVLOOP_ONCE | (waiting ? 0 : EVLOOP_NONBLOCK));
    run_deferred(loop);
    empty_graveyard(loop);
}

void gd_loop_run(struct gd_loop *loop)
{
    while (!atomic_load_explicit(&loop->stopping, memory_order_acquire))
        turn(loop);
    atomic_store(&loop->stopping, false);
}

static void on_limit(void *arg)
{
    *(bool *)arg = true;
}

bool gd_loop_run_until(struct gd_loop *loop, bool (*done)(void *arg), void *arg,
                       uint32_t limit_ms)
{
    struct gd_timer limit;
    bool expired = false, ok;

    gd_timer_init(&limit, loop, on_limit, &expired);
    gd_timer_arm(&limit, limit_ms);
    while (!(ok = done(arg)) && !expired)
        turn(loop);
    gd_timer_disarm(&limit);
    return ok;
}

static void wake(struct gd_loop *loop)
{
    uint64_t one = 1;
    ssize_t n = write(loop->wake_fd, &one, sizeof(one));

    (void)n; /* a full counter wakes the loop as well */
}

void gd_loop_stop(struct gd_loop *loop)
{
    atomic_store_explicit(&loop->stopping, true, memory_order_release);
    wake(loop);
}

void gd_loop_post(struct gd_loop *loop, void (*fn)(void *arg), void *arg)
{
    struct posted *post = gd_alloc(sizeof(*post));

    post->fn = fn;
    post->arg = arg;
    pthread_mutex_lock(&loop->lock);
    *loop->posts_tail = post;
    loop->posts_tail = &post->next;
    pthread_mutex_unlock(&loop->lock);
    wake(loop);
}

struct event_base *gd_loop_base(struct gd_loop *loop)
{
    return loop->base;
}

struct gd_blocks *gd_loop_blocks(struct gd_loop *loop)
{
    return &loop->blocks;
}

uint64_t gd_loop_now_us(struct gd_loop *loop)
{
    if (loop->now_us == 0) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        loop->now_us = (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
    }
    return loop->now_us;
}

int64_t gd_loop_wall_s(struct gd_loop *loop)
{
    if (loop->wall_s == 0) {
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME_COARSE, &ts);
        loop->wall_s = ts.tv_sec;
    }
    return loop->wall_s;
}

int64_t gd_wall_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void gd_loop_must(bool done)
{
    if (done)
        return;
    gd_log(GD_LOG_ERROR, "the event loop has no memory left");
    abort();
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct gd_timer *timer = arg;

    (void)fd;
    (void)what;
    timer->on_expired(timer->arg);
}

void gd_timer_init(struct gd_timer *timer, struct gd_loop *loop,
                   void (*on_expired)(void *arg), void *arg)
{
    timer->loop = loop;
    timer->on_expired = on_expired;
    timer->arg = arg;
    event_assign(&timer->event, loop->base, -1, 0, on_timer, timer);
}

/* Returns the shared queue of a duration, made on first use; NULL when all are taken. */
static const struct timeval *shared_timeout(struct gd_loop *loop, uint32_t ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
    struct shared_timeout *shared = loop->shared;
    unsigned i;

    for (i = 0; i < loop->shared_count; i++)
        if (shared[i].ms == ms)
            return shared[i].tv;
    if (i == SHARED_TIMEOUTS)
        return NULL;
    shared[i].tv = event_base_init_common_timeout(loop->base, &tv);
    shared[i].ms = ms;
    if (shared[i].tv)
        loop->shared_count++;
    return shared[i].tv;
}

void gd_timer_arm(struct gd_timer *timer, uint32_t ms)
{
    const struct timeval *shared = shared_timeout(timer->loop, ms);
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};

    gd_loop_must(event_add(&timer->event, shared ? shared : &tv) == 0);
}

void gd_timer_disarm(struct gd_timer *timer)
{
    if (timer->loop)
        event_del(&timer->event);
}

bool gd_timer_armed(const struct gd_timer *timer)
{
    return timer->loop && event_pending(&timer->event, EV_TIMEOUT, NULL);
}

void gd_loop_defer(struct gd_loop *loop, struct gd_work *work, void (*run)(void *arg),
                   void *arg)
{
    struct gd_work *head = &loop->deferred;

    assert(work->next == NULL);
    work->run = run;
    work->arg = arg;
    work->next = head;
    work->prev = head->prev;
    head->prev->next = work;
    head->prev = work;
}

void gd_work_cancel(struct gd_work *work)
{
    if (work->next == NULL)
        return;
    work->prev->next = work->next;
    work->next->prev = work->prev;
    work->next = work->prev = NULL;
}

void gd_loop_bury(struct gd_loop *loop, struct gd_grave *grave,
                  void (*destroy)(void *object), void *object)
{
    grave->destroy = destroy;
    grave->object = object;
    grave->next = loop->graves;
    loop->graves = grave;
}
