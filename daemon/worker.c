#include "daemon/worker.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "front/engine.h"
#include "front/front.h"
#include "upstream/mock.h"

struct gd_worker {
    struct gd_worker_config config;
    pthread_t thread;
    struct gd_loop *loop;
    struct gd_engine *engine;
    struct listening *listening;
    unsigned listening_count;
};

/* A socket of the process, of which the worker has a dup. */
struct listening {
    int fd;
    struct gd_listener *listener;
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
    gd_free(worker->listening);
    gd_free(worker);
}

/* Listening
 * -------------------------------------------------------------------------------
 */

static struct gd_listener *find_listener(const struct gd_worker *worker, int fd)
{
    for (unsigned i = 0; i < worker->listening_count; i++)
        if (worker->listening[i].fd == fd)
            return worker->listening[i].listener;
    return NULL;
}

static bool is_listed(const struct gd_socket *sockets, unsigned count, int fd)
{
    for (unsigned i = 0; i < count; i++)
        if (sockets[i].fd == fd)
            return true;
    return false;
}

/* Listens on these, by the settings of plan, and no longer on others. False with err: of
 * the last one that could not be watched. */
static bool listen_on(struct gd_worker *worker, const struct gd_plan *plan,
                      const struct gd_socket *sockets, unsigned count, struct gd_err *err)
{
    struct listening *list = gd_alloc_array(count, sizeof(*list));
    unsigned n = 0;

    for (unsigned i = 0; i < count; i++) {
        const struct gd_plan_listen *settings = &plan->listens[sockets[i].listen];
        struct gd_listener *listener = find_listener(worker, sockets[i].fd);

        if (listener)
            gd_listener_change(listener, settings);
        else
            listener = gd_engine_listen(worker->engine, sockets[i].fd, settings, err);
        if (listener)
            list[n++] = (struct listening){sockets[i].fd, listener};
    }
    for (unsigned i = 0; i < worker->listening_count; i++)
        if (!is_listed(sockets, count, worker->listening[i].fd))
            gd_listener_close(worker->listening[i].listener);
    gd_free(worker->listening);
    worker->listening = list;
    worker->listening_count = n;
    return n == count;
}

static bool prepare(struct gd_worker *worker, struct gd_err *err)
{
    const struct gd_worker_config *config = &worker->config;

    worker->loop = gd_loop_new(err);
    if (worker->loop == NULL)
        return false;
    worker->engine = gd_engine_new(worker->loop, config->first, err);
    if (worker->engine == NULL)
        return false;
    gd_engine_observe(worker->engine, config->lane, config->recent);
    return listen_on(worker, config->first->plan, config->sockets, config->socket_count,
                     err);
}

static void on_warm(void *arg)
{
    struct gd_worker *worker = arg;

    gd_loop_post(worker->config.home, worker->config.on_warm, worker->config.arg);
}

static void on_started(void *arg)
{
    struct gd_worker *worker = arg;

    gd_engine_await_warm(worker->engine, on_warm, worker);
}

struct gd_worker *gd_worker_start(const struct gd_worker_config *config,
                                  struct gd_err *err)
{
    struct gd_worker *worker = gd_alloc(sizeof(*worker));
    char name[16];

    worker->config = *config;
    snprintf(name, sizeof(name), "worker-%u", config->index);
    if (!prepare(worker, err) ||
        !start_thread(&worker->thread, worker->loop, name, err)) {
        free_worker(worker);
        return NULL;
    }
    gd_loop_post(worker->loop, on_started, worker);
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

static void on_switch(void *arg)
{
    struct gd_worker_switch *order = arg;
    struct gd_err err;

    gd_engine_switch(order->worker->engine, &order->next);
    if (!listen_on(order->worker, order->next.plan, order->sockets, order->socket_count,
                   &err))
        gd_log(GD_LOG_ERROR, "worker %u: %s", order->worker->config.index, err.text);
    gd_loop_post(order->worker->config.home, order->on_switched, order->arg);
}

void gd_worker_switch(struct gd_worker *worker, struct gd_worker_switch *order)
{
    order->worker = worker;
    gd_loop_post(worker->loop, on_switch, order);
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

/* What the thread of the mocks is asked, by one that waits for the answer. */
struct question {
    struct gd_mock_thread *thread;
    void (*ask)(struct question *question);
    struct gd_plan *plan;
    const int *kept;
    struct gd_address *addresses;
    struct gd_err *err;
    bool done;
    sem_t answered;
};

static void on_question(void *arg)
{
    struct question *question = arg;

    question->ask(question);
    sem_post(&question->answered);
}

static void ask(struct question *question)
{
    sem_init(&question->answered, 0, 0);
    gd_loop_post(question->thread->loop, on_question, question);
    while (sem_wait(&question->answered) != 0)
        ;
    sem_destroy(&question->answered);
}

static void ask_next(struct question *question)
{
    question->done = gd_mocks_next(question->thread->mocks, question->plan,
                                   question->kept, question->addresses, question->err);
}

bool gd_mock_thread_next(struct gd_mock_thread *mocks, struct gd_plan *plan,
                         const int *kept, struct gd_address *addresses,
                         struct gd_err *err)
{
    struct question question = {.thread = mocks,
                                .ask = ask_next,
                                .plan = plan,
                                .kept = kept,
                                .addresses = addresses,
                                .err = err};

    ask(&question);
    return question.done;
}

static void ask_leave(struct question *question)
{
    gd_mocks_leave(question->thread->mocks, question->plan);
}

void gd_mock_thread_leave(struct gd_mock_thread *mocks, struct gd_plan *plan)
{
    struct question question = {.thread = mocks, .ask = ask_leave, .plan = plan};

    ask(&question);
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
