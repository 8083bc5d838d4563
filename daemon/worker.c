#include "daemon/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "base/mem.h"
#include "front/engine.h"
#include "upstream/mock.h"

struct gd_worker {
    struct gd_worker_config config;
    pthread_t thread;
    struct gd_loop *loop;
    struct gd_engine *engine;
    struct gd_stats *stats;
};

struct gd_mock_thread {
    pthread_t thread;
    struct gd_loop *loop;
    struct gd_mocks *mocks;
};

static void *run_loop(void *arg)
{
    gd_loop_run(arg);
    return NULL;
}

/* Signals are for the main thread. */
static bool start_thread(pthread_t *thread, struct gd_loop *loop, const char *name,
                         struct gd_err *err)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(thread, NULL, run_loop, loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return gd_err_set(err, "no thread could be started");
    pthread_setname_np(*thread, name);
    return true;
}

static void free_worker(struct gd_worker *worker)
{
    gd_engine_free(worker->engine);
    gd_loop_free(worker->loop);
    gd_stats_free(worker->stats);
    gd_free(worker);
}

static bool prepare(struct gd_worker *worker, struct gd_err *err)
{
    const struct gd_worker_config *config = &worker->config;
    struct gd_engine_plan first = {
        .plan = config->plan, .stats = worker->stats, .addresses = config->addresses};

    worker->loop = gd_loop_new(err);
    if (worker->loop == NULL)
        return false;
    worker->engine = gd_engine_new(worker->loop, &first, err);
    if (worker->engine == NULL)
        return false;
    for (unsigned i = 0; i < config->fd_count; i++)
        if (!gd_engine_listen(worker->engine, config->fds[i], err))
            return false;
    return true;
}

struct gd_worker *gd_worker_start(const struct gd_worker_config *config,
                                  struct gd_err *err)
{
    struct gd_worker *worker = gd_alloc(sizeof(*worker));
    const struct gd_plan *plan = config->plan;
    char name[16];

    worker->config = *config;
    worker->stats =
        gd_stats_new(plan->route_count, plan->upstream_count, plan->server_count);
    snprintf(name, sizeof(name), "worker-%u", config->index);
    if (!prepare(worker, err) ||
        !start_thread(&worker->thread, worker->loop, name, err)) {
        free_worker(worker);
        return NULL;
    }
    return worker;
}

static void on_drained(void *arg)
{
    struct gd_worker *worker = arg;

    gd_loop_post(worker->config.home, worker->config.on_drained, worker->config.arg);
}

static void on_drain(void *arg)
{
    struct gd_worker *worker = arg;

    gd_engine_drain(worker->engine, on_drained, worker);
}

void gd_worker_drain(struct gd_worker *worker)
{
    gd_loop_post(worker->loop, on_drain, worker);
}

void gd_worker_stop(struct gd_worker *worker)
{
    if (worker == NULL)
        return;
    gd_loop_stop(worker->loop);
    pthread_join(worker->thread, NULL);
    free_worker(worker);
}

struct gd_stats *gd_worker_stats(struct gd_worker *worker)
{
    return worker->stats;
}

struct gd_loop *gd_worker_loop(struct gd_worker *worker)
{
    return worker->loop;
}

struct gd_engine *gd_worker_engine(struct gd_worker *worker)
{
    return worker->engine;
}

struct gd_mock_thread *gd_mock_thread_start(struct gd_plan *plan,
                                            struct gd_address *addresses,
                                            struct gd_err *err)
{
    struct gd_mock_thread *mocks = gd_alloc(sizeof(*mocks));

    mocks->loop = gd_loop_new(err);
    if (mocks->loop)
        mocks->mocks = gd_mocks_new(mocks->loop, plan, addresses, err);
    if (mocks->mocks && start_thread(&mocks->thread, mocks->loop, "mocks", err))
        return mocks;
    gd_mocks_free(mocks->mocks);
    gd_loop_free(mocks->loop);
    gd_free(mocks);
    return NULL;
}

void gd_mock_thread_stop(struct gd_mock_thread *mocks)
{
    if (mocks == NULL)
        return;
    gd_loop_stop(mocks->loop);
    pthread_join(mocks->thread, NULL);
    gd_mocks_free(mocks->mocks);
    gd_loop_free(mocks->loop);
    gd_free(mocks);
}
