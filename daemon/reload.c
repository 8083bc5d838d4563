#include "daemon/reload.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/notify.h"
#include "daemon/process.h"
#include "daemon/run.h"
#include "plan/load.h"

/* What is said about one ----------------------------------------------------------------
 */

static void forget_lines(struct gd_reload_view *view)
{
    for (size_t i = 0; i < view->line_count; i++)
        gd_free(view->lines[i]);
    gd_free(view->lines);
    view->lines = NULL;
    view->line_count = 0;
}

static void add_line(struct gd_reload_view *view, const char *line)
{
    char **more = gd_alloc_array(view->line_count + 1, sizeof(*more));

    for (size_t i = 0; i < view->line_count; i++)
        more[i] = view->lines[i];
    more[view->line_count++] = gd_strdup(line);
    gd_free(view->lines);
    view->lines = more;
}

static void refuse(struct process *process)
{
    struct gd_reload_view *view = &process->reload;

    for (size_t i = 0; i < view->line_count; i++)
        gd_log(GD_LOG_ERROR, "%s", view->lines[i]);
    gd_log(GD_LOG_ERROR, "the configuration is not reloaded; the one before goes on");
    view->state = GD_RELOAD_REFUSED;
    process->stats[GD_PROCESS_RELOADS_REFUSED]++;
    process->stats[GD_PROCESS_CONFIG_REFUSED] = 1;
}

/* Who waits for the end
 * -------------------------------------------------------------------
 */

struct gd_reload_waiter {
    void (*done)(void *arg);
    void *arg;
    struct gd_reload_waiter *next;
};

static bool is_busy(const struct process *process)
{
    return process->pending || process->switching > 0 ||
           gd_work_queued(&process->reload_over);
}

static void tell(struct gd_reload_waiter **list)
{
    while (*list) {
        struct gd_reload_waiter *waiter = *list;

        *list = waiter->next;
        waiter->done(waiter->arg);
        gd_free(waiter);
    }
}

/* Not before its own connection is off the stack. */
static void move_admin(struct process *process)
{
    struct gd_err err;

    if (process->admin_fd == process->sockets.admin.fd)
        return;
    process->admin_fd = process->sockets.admin.fd;
    if (!gd_admin_listen(process->admin, process->admin_fd, &err))
        gd_log(GD_LOG_ERROR, "admin: %s", err.text);
}

static void on_over(void *arg)
{
    struct process *process = arg;

    move_admin(process);
    tell(&process->reload_waiters);
    if (process->wanted) {
        void (*wanted)(struct process * process) = process->wanted;

        process->wanted = NULL;
        wanted(process);
    }
    if (!process->reload_again)
        return;
    process->reload_again = false;
    process->reload_waiters = process->later_waiters;
    process->later_waiters = NULL;
    gd_reload(process);
}

/* Those who wait are told at the end of the turn: never inside their question. */
static void end(struct process *process)
{
    if (atomic_load(&process->life) == GD_LIFE_READY)
        gd_notify("READY=1");
    gd_loop_defer(process->loop, &process->reload_over, on_over, process);
}

/* Handing over
 * ----------------------------------------------------------------------------
 */

static void on_switched(void *arg)
{
    struct process *process = arg;

    if (--process->switching > 0)
        return;
    gd_sockets_take_over(&process->sockets, &process->next_sockets,
                         process->newest->plan);
    process->reload.state = GD_RELOAD_DONE;
    process->stats[GD_PROCESS_RELOADS]++;
    process->stats[GD_PROCESS_CONFIG_REFUSED] = 0;
    gd_log(GD_LOG_INFO, "reloaded");
    end(process);
}

/* What a restart is needed for is said, and stays as it is. */
static void warn_fixed(struct process *process, const struct gd_installed *installed)
{
    for (unsigned i = 0; i < installed->plan->fixed_count; i++) {
        const char *path = installed->plan->fixed[i].path;
        char line[256];

        if (!installed->change->fixed[i])
            continue;
        snprintf(line, sizeof(line), "%s has changed: only a restart takes it over",
                 path);
        gd_log(GD_LOG_WARN, "%s", line);
        add_line(&process->reload, line);
    }
}

static void hand_over(struct process *process, struct gd_installed *installed)
{
    const struct gd_plan *plan = installed->plan;

    gd_install(installed);
    process->switching = process->worker_count;
    for (unsigned i = 0; i < process->worker_count; i++) {
        struct gd_worker_switch *order = &installed->stays[i].order;

        gd_install_describe(installed, i, &order->next);
        order->sockets = process->next_sockets.all;
        order->socket_count = process->next_sockets.count;
        order->on_switched = on_switched;
        order->arg = process;
        gd_worker_switch(process->workers[i], order);
    }
    gd_admin_change(process->admin, plan, installed->stats, installed->names);
    gd_logs_change(&process->logs, installed->plan);
    process->stats[GD_PROCESS_CONFIG_TIME] = (uint64_t)gd_loop_wall_s(process->loop);
    gd_run_warn(plan);
    warn_fixed(process, installed);
}

static struct gd_plan *load(struct process *process)
{
    struct gd_findings findings = {0};
    struct gd_load_options options = {.tickets = process->newest->plan->tickets};
    struct gd_plan *plan = gd_plan_load(process->file, &options, &findings);

    for (size_t i = 0; i < findings.count; i++)
        add_line(&process->reload, findings.lines[i]);
    gd_findings_free(&findings);
    return plan;
}

static void notify_reloading(void)
{
    struct timespec now;
    char state[80];

    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%llu",
             (unsigned long long)now.tv_sec * 1000000 +
                 (unsigned long long)now.tv_nsec / 1000);
    gd_notify(state);
}

/* The names have been looked up, or that takes too long: then calls to those that are not
 * known yet fail until they are. */
static void on_names_awaited(void *arg)
{
    struct process *process = arg;
    struct gd_installed *installed = process->pending;

    if (atomic_load(&process->life) != GD_LIFE_READY)
        return; /* it ends with this plan */
    process->pending = NULL;
    hand_over(process, installed);
}

/* Not inside a callback of the names, some of which go away now. */
static void on_settled(struct process *process)
{
    if (process->pending)
        gd_timer_arm(&process->pending_limit, 0);
}

static void await_names(struct process *process, struct gd_installed *installed)
{
    uint32_t ms =
        gd_install_is_settled(installed) ? 0 : gd_install_patience_ms(installed);

    process->pending = installed;
    gd_timer_init(&process->pending_limit, process->loop, on_names_awaited, process);
    gd_timer_arm(&process->pending_limit, ms);
}

/* What the system may refuse. Takes the reference; NULL with a line that says why. */
static struct gd_installed *prepare(struct process *process, struct gd_plan *plan)
{
    struct gd_installed *installed = NULL;
    struct gd_err err;

    if (gd_logs_try(plan, &err) &&
        gd_sockets_next(&process->sockets, plan, &process->next_sockets, &err)) {
        installed = gd_install_prepare(process, plan, on_settled, &err);
        if (installed == NULL)
            gd_sockets_drop(&process->next_sockets);
    }
    if (installed == NULL) {
        add_line(&process->reload, err.text);
        gd_plan_unref(plan);
    }
    return installed;
}

static void begin(struct process *process)
{
    struct gd_installed *installed = NULL;
    struct gd_plan *plan;

    notify_reloading();
    forget_lines(&process->reload);
    process->reload.state = GD_RELOAD_RUNNING;
    process->reload.at_s = gd_loop_wall_s(process->loop);
    plan = load(process);
    if (plan)
        installed = prepare(process, plan);
    if (installed) {
        await_names(process, installed);
        return;
    }
    refuse(process);
    end(process);
}

static const char *refusal(const struct process *process)
{
    if (atomic_load(&process->life) == GD_LIFE_DRAINING)
        return "no reload while draining";
    if (process->restart.pid)
        return "no reload while a successor starts";
    return process->file ? NULL : "there is no file to read again";
}

void gd_reload(struct process *process)
{
    const char *why = refusal(process);

    if (why)
        gd_log(GD_LOG_WARN, "%s", why);
    else if (is_busy(process))
        process->reload_again = true;
    else
        begin(process);
}

bool gd_reload_delays(struct process *process, void (*wanted)(struct process *process))
{
    if (!is_busy(process))
        return false;
    process->wanted = wanted;
    return true;
}

const char *gd_reload_ask(void *arg_process, void (*done)(void *arg), void *arg)
{
    struct process *process = arg_process;
    const char *why = refusal(process);
    struct gd_reload_waiter *waiter;

    if (why)
        return why;
    waiter = gd_alloc(sizeof(*waiter));
    *waiter = (struct gd_reload_waiter){.done = done, .arg = arg};
    if (is_busy(process)) {
        waiter->next = process->later_waiters;
        process->later_waiters = waiter;
    } else {
        waiter->next = process->reload_waiters;
        process->reload_waiters = waiter;
    }
    gd_reload(process);
    return NULL;
}

static void forget_waiters(struct gd_reload_waiter *list)
{
    while (list) {
        struct gd_reload_waiter *waiter = list;

        list = waiter->next;
        gd_free(waiter);
    }
}

void gd_reload_end(struct process *process)
{
    gd_work_cancel(&process->reload_over);
    forget_waiters(process->reload_waiters);
    forget_waiters(process->later_waiters);
    if (process->pending) {
        gd_timer_disarm(&process->pending_limit);
        gd_install_abandon(process->pending);
    }
    forget_lines(&process->reload);
}
