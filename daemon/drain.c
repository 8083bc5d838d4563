#include "daemon/drain.h"

#include <stdatomic.h>

#include "base/log.h"
#include "daemon/notify.h"
#include "daemon/process.h"
#include "daemon/reload.h"

/* How often a process that has a successor looks whether its clients have left. */
enum { LOOK_MS = 100 };

static void close_all(struct process *process)
{
    const struct gd_plan *plan = process->newest->plan;

    process->drain_closing = true;
    process->draining = process->worker_count;
    gd_timer_arm(&process->drain_timer, plan->drain_timeout_ms);
    /* The workers have dups; while one descriptor is open, the kernel goes on accepting.
     */
    gd_sockets_close_listens(&process->sockets);
    for (unsigned i = 0; i < process->worker_count; i++)
        gd_worker_drain(process->workers[i]);
}

static void leave(struct gd_engine *engine, void *arg)
{
    gd_engine_leave(engine, false);
}

static void stop(struct gd_engine *engine, void *arg)
{
    gd_engine_leave(engine, true);
}

static uint64_t connections(const struct process *process)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < process->worker_count; i++)
        sum +=
            gd_stat_read(&process->newest->stats[i]->worker[GD_WORKER_CONNECTIONS_OPEN]);
    return sum;
}

/* The port has a successor, so nothing hurries: idle connections wait for one more
 * request, which is answered with `Connection: close`. */
static void look_for_end(struct process *process)
{
    uint32_t limit_ms = process->newest->plan->drain_timeout_ms;
    uint64_t now_us = gd_loop_now_us(process->loop);

    if (connections(process) == 0 ||
        now_us - process->left_us >= (uint64_t)limit_ms * 1000)
        close_all(process);
    else
        gd_timer_arm(&process->drain_timer, LOOK_MS);
}

static void on_timer(void *arg)
{
    struct process *process = arg;

    if (!process->drain_closing && process->left_us) {
        look_for_end(process);
        return;
    }
    if (!process->drain_closing) {
        gd_log(GD_LOG_INFO, "drain.grace has passed; closing listeners");
        close_all(process);
        return;
    }
    gd_log(GD_LOG_WARN, "drain.timeout has passed; open requests are cut off");
    gd_loop_stop(process->loop);
}

void gd_drain_worker_done(void *arg)
{
    struct process *process = arg;

    if (--process->draining == 0)
        gd_loop_stop(process->loop);
}

void gd_drain_init(struct process *process)
{
    gd_timer_init(&process->drain_timer, process->loop, on_timer, process);
}

static void on_left(void *arg)
{
}

void gd_drain(struct process *process)
{
    uint32_t grace_ms = process->newest->plan->drain_grace_ms;

    if (gd_reload_delays(process, gd_drain))
        return;

    if (process->left_us && !process->drain_closing) {
        gd_log(GD_LOG_INFO, "draining");
        close_all(process);
        return;
    }
    if (atomic_load(&process->life) == GD_LIFE_DRAINING) {
        gd_log(GD_LOG_WARN, "ended by a second signal");
        gd_loop_stop(process->loop);
        return;
    }
    gd_log(GD_LOG_INFO, "draining");
    gd_restart_cancel(process);
    atomic_store(&process->life, GD_LIFE_DRAINING);
    gd_notify("STOPPING=1");
    if (grace_ms == 0) {
        close_all(process);
        return;
    }
    gd_teller_tell(&process->teller, leave, NULL, on_left);
    gd_timer_arm(&process->drain_timer, grace_ms);
}

static void on_handed_over(void *arg)
{
    struct process *process = arg;

    gd_log(GD_LOG_INFO, "process %d has taken over; this one ends with its last client",
           (int)process->successor);
}

void gd_drain_handed_over(struct process *process)
{
    struct gd_err err;

    atomic_store(&process->life, GD_LIFE_DRAINING);
    process->left_us = gd_loop_now_us(process->loop);
    process->sockets.lent = true;
    if (!gd_admin_listen(process->admin, -1, &err))
        gd_log(GD_LOG_ERROR, "admin: %s", err.text);
    gd_sockets_close(&process->sockets);
    gd_teller_tell(&process->teller, stop, process, on_handed_over);
    gd_timer_arm(&process->drain_timer, LOOK_MS);
}
