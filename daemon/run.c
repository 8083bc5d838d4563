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
#include "daemon/drain.h"
#include "daemon/exit.h"
#include "daemon/handover.h"
#include "daemon/notify.h"
#include "daemon/placing.h"
#include "daemon/process.h"
#include "daemon/reload.h"
#include "plan/tls_context.h"

enum { LARGE_BYTES = 128 * 1024 };

/* The cores this process may use: containers and taskset count. */
static unsigned core_count(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

    return n < 1 ? 1 : n > GD_WORKERS_MAX ? GD_WORKERS_MAX : (unsigned)n;
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

static void on_stop(evutil_socket_t signo, short what, void *arg)
{
    struct process *process = arg;

    (void)signo;
    (void)what;
    if (process->newest == NULL) /* names are being looked up */
        process->stopped = true;
    else
        gd_drain(process);
}

static void on_reload(evutil_socket_t signo, short what, void *arg)
{
    (void)signo;
    (void)what;
    gd_reload(arg);
}

static void on_restart(evutil_socket_t signo, short what, void *arg)
{
    (void)signo;
    (void)what;
    gd_restart(arg);
}

static void on_reopen(evutil_socket_t signo, short what, void *arg)
{
    struct process *process = arg;

    (void)signo;
    (void)what;
    gd_access_reopen(process->logs.access);
}

static bool start_signals(struct process *process, struct gd_err *err)
{
    static const struct {
        int signo;
        void (*on_signal)(evutil_socket_t signo, short what, void *arg);
    } rows[GD_SIGNALS] = {{SIGTERM, on_stop},
                          {SIGINT, on_stop},
                          {SIGHUP, on_reload},
                          {SIGUSR1, on_reopen},
                          {SIGUSR2, on_restart}};

    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < GD_SIGNALS; i++) {
        process->signals[i] = evsignal_new(gd_loop_base(process->loop), rows[i].signo,
                                           rows[i].on_signal, process);
        if (process->signals[i] == NULL || event_add(process->signals[i], NULL) != 0)
            return gd_err_set(err, "no signal handler");
    }
    return true;
}

/* Requests are answered before, but nobody is asked to send some. */
static void on_worker_warm(void *arg)
{
    struct process *process = arg;

    if (--process->cold > 0 || atomic_load(&process->life) != GD_LIFE_STARTING)
        return;
    atomic_store(&process->life, GD_LIFE_READY);
    gd_log(GD_LOG_INFO, "ready with %u workers", process->worker_count);
    gd_notify("READY=1");
    if (gd_handover_tell())
        process->sockets.lent = false;
    gd_watchdog_start(&process->watchdog, process);
}

static bool start_workers(struct process *process, struct gd_err *err)
{
    process->cold = process->worker_count;
    for (unsigned i = 0; i < process->worker_count; i++) {
        struct gd_engine_plan first;
        struct gd_worker_config config = {
            .index = i,
            .first = &first,
            .lane = gd_access_lane(process->logs.access, i),
            .recent = process->logs.recents[i],
            .sockets = process->sockets.all,
            .socket_count = process->sockets.count,
            .home = process->loop,
            .on_warm = on_worker_warm,
            .on_drained = gd_drain_worker_done,
            .arg = process,
        };

        gd_install_describe(process->newest, i, &first);
        process->workers[i] = gd_worker_start(&config, err);
        if (process->workers[i] == NULL)
            return false;
    }
    return true;
}

static bool start_admin(struct process *process, struct gd_err *err)
{
    struct gd_admin_source source = {
        .plan = process->newest->plan,
        .stats = process->newest->stats,
        .worker_count = process->worker_count,
        .names = process->newest->names,
        .recents = process->logs.recents,
        .access = process->logs.access,
        .life = &process->life,
        .reload = &process->reload,
        .process = process->stats,
        .reload_now = gd_reload_ask,
        .process_arg = process,
        .tell = gd_teller_tell,
        .teller = &process->teller,
    };

    process->teller = (struct gd_teller){.home = process->loop,
                                         .workers = process->workers,
                                         .worker_count = &process->worker_count};
    process->admin_fd = process->sockets.admin.fd;
    process->admin = gd_admin_new(process->loop, &source, err);
    return process->admin && gd_admin_listen(process->admin, process->admin_fd, err);
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

void gd_run_warn(const struct gd_plan *plan)
{
    for (unsigned i = 0; i < plan->upstream_count; i++)
        if (plan->upstreams[i].tls && !plan->upstreams[i].tls->verify)
            gd_log(GD_LOG_WARN,
                   "upstream %s: tls.verify is false: whoever is on the way can read and "
                   "change everything",
                   plan->upstreams[i].name);
}

static void prepare_process(void)
{
    /* Large blocks go back to the system when they are freed, not to wait in a heap for
     * others. glibc would raise this limit at the first of them. */
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    /* Without descriptors libevent ends the process on its own. */
    event_set_log_callback(on_libevent_message);
    event_set_fatal_callback(on_libevent_fatal);
    raise_descriptor_limit();
}

static bool is_settled_or_stopped(void *arg)
{
    const struct process *process = arg;

    return process->stopped || gd_install_is_settled(process->pending);
}

/* Names are looked up before anybody is served, but not for ever. */
static void await_names(struct process *process, struct gd_installed *first)
{
    process->pending = first;
    if (!gd_loop_run_until(process->loop, is_settled_or_stopped, process,
                           gd_install_patience_ms(first)))
        gd_log(GD_LOG_WARN, "not all names could be looked up yet; starting anyhow");
    process->pending = NULL;
}

static bool start(struct process *process, struct gd_plan *plan, struct gd_err *err)
{
    struct gd_installed *first;

    process->loop = gd_loop_new(err);
    if (process->loop == NULL)
        return false;
    gd_drain_init(process);
    process->worker_count = plan->workers ? plan->workers : core_count();
    if (!gd_logs_open(&process->logs, plan, process->worker_count, err))
        return false;
    gd_run_warn(plan);
    if (!start_signals(process, err) || !gd_sockets_open(&process->sockets, plan, err))
        return false;
    first = gd_install_prepare(process, gd_plan_ref(plan), NULL, err);
    if (first == NULL) {
        gd_plan_unref(plan);
        return false;
    }
    await_names(process, first);
    gd_install(first);
    process->stats[GD_PROCESS_CONFIG_TIME] = (uint64_t)gd_loop_wall_s(process->loop);
    return process->stopped || (start_workers(process, err) && start_admin(process, err));
}

/* Tolerates a process that has only half started. */
static void finish(struct process *process)
{
    for (unsigned i = 0; i < process->worker_count; i++)
        gd_worker_stop(process->workers[i]);
    gd_teller_end(&process->teller);
    gd_placing_end(process);
    gd_admin_free(process->admin);
    gd_logs_close(&process->logs);
    gd_mock_thread_stop(process->mocks);
    gd_restart_cancel(process);
    gd_sockets_close(&process->sockets);
    gd_sockets_drop(&process->next_sockets);
    for (int i = 0; i < GD_SIGNALS; i++)
        if (process->signals[i])
            event_free(process->signals[i]);
    gd_watchdog_stop(&process->watchdog);
    gd_timer_disarm(&process->drain_timer);
    gd_reload_end(process);
    gd_install_end(process);
    gd_loop_free(process->loop);
}

int gd_run(struct gd_plan *plan, const char *file, char *const *argv)
{
    struct process process = {.file = file,
                              .argv = argv,
                              .sockets = {.admin = {.fd = -1}},
                              .next_sockets = {.admin = {.fd = -1}}};
    struct gd_err err;
    int code = GD_EXIT_OK;
    bool started;

    gd_handover_receive(&process.sockets);
    prepare_process();
    started = start(&process, plan, &err);
    /* Who works by it has it, and none does any more some time after a reload. */
    gd_plan_unref(plan);
    if (!started) {
        gd_log(GD_LOG_ERROR, "%s", err.text);
        code = GD_EXIT_SYSTEM;
    } else if (!process.stopped) {
        gd_loop_run(process.loop);
    }
    finish(&process);
    if (code == GD_EXIT_OK)
        gd_log(GD_LOG_INFO, "ended");
    return code;
}
