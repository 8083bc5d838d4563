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

static void end(struct process *process)
{
    gd_notify("READY=1");
    if (!process->reload_again)
        return;
    process->reload_again = false;
    gd_reload(process);
}

/* Handing over
 * ----------------------------------------------------------------------------
 */

static void on_switched(void *arg)
{
    struct process *process = arg;

    if (--process->switching > 0)
        return;
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
        order->on_switched = on_switched;
        order->arg = process;
        gd_worker_switch(process->workers[i], order);
    }
    if (process->admin)
        gd_admin_change(process->admin, plan, installed->stats);
    gd_log_set_level(plan->log_level);
    process->stats[GD_PROCESS_CONFIG_TIME] = (uint64_t)gd_loop_wall_s(process->loop);
    gd_run_warn(plan);
    warn_fixed(process, installed);
}

static struct gd_plan *load(struct process *process)
{
    struct gd_findings findings = {0};
    struct gd_plan *plan = gd_plan_load(process->file, NULL, &findings);

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

static void begin(struct process *process)
{
    struct gd_installed *installed = NULL;
    struct gd_plan *plan;
    struct gd_err err;

    notify_reloading();
    forget_lines(&process->reload);
    process->reload.state = GD_RELOAD_RUNNING;
    process->reload.at_s = gd_loop_wall_s(process->loop);
    plan = load(process);
    if (plan) {
        installed = gd_install_prepare(process, plan, &err);
        if (installed == NULL) {
            add_line(&process->reload, err.text);
            gd_plan_unref(plan);
        }
    }
    if (installed) {
        hand_over(process, installed);
        return;
    }
    refuse(process);
    end(process);
}

void gd_reload(struct process *process)
{
    if (atomic_load(&process->life) != GD_LIFE_READY) {
        gd_log(GD_LOG_WARN, "no reload while starting or draining");
    } else if (process->file == NULL) {
        gd_log(GD_LOG_WARN, "there is no file to reload");
    } else if (process->switching > 0) {
        process->reload_again = true;
    } else {
        begin(process);
    }
}

void gd_reload_end(struct process *process)
{
    forget_lines(&process->reload);
}
