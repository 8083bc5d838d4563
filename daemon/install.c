#include "daemon/install.h"

#include "base/mem.h"
#include "daemon/placing.h"
#include "daemon/process.h"
#include "daemon/sockets.h"
#include "upstream/names.h"

static struct gd_stats *stats_of(struct gd_installed *installed, unsigned worker)
{
    const struct gd_plan *plan = installed->plan;
    const struct gd_plan_change *change = installed->change;
    struct gd_stat_origins origins = {.route_count = plan->route_count,
                                      .upstream_count = plan->upstream_count,
                                      .server_count = plan->server_count};

    if (change == NULL)
        return gd_stats_new(plan->route_count, plan->upstream_count, plan->server_count);
    origins.routes = change->routes;
    origins.upstreams = change->upstreams;
    origins.servers = change->servers;
    return gd_stats_next(installed->process->newest->stats[worker], &origins);
}

static bool open_mocks(struct gd_installed *installed, struct gd_err *err)
{
    struct process *process = installed->process;

    if (installed->change)
        return gd_mock_thread_next(process->mocks, installed->plan,
                                   installed->change->kept, installed->addresses, err);
    process->mocks = gd_mock_thread_start(installed->plan, installed->addresses, err);
    return process->mocks != NULL;
}

/* Once nothing of it is used; its mocks are another matter. */
static void release(struct gd_installed *installed)
{
    for (unsigned i = 0; installed->stats && i < installed->process->worker_count; i++)
        gd_stats_free(installed->stats[i]);
    gd_plan_change_free(installed->change);
    gd_names_free(installed->names);
    gd_sites_free(installed->sites, installed->plan->server_count);
    gd_plan_unref(installed->plan);
    gd_free(installed->addresses);
    gd_free(installed->stats);
    gd_free(installed->stays);
    gd_free(installed);
}

/* Workers are told what is new since the plan was installed. */
static void on_place(void *arg, unsigned upstream, unsigned server, struct gd_site *site)
{
    struct gd_installed *installed = arg;

    if (installed->process->newest == installed)
        gd_placing_tell(installed->process, upstream, server, site);
}

static void on_settled(void *arg)
{
    struct gd_installed *installed = arg;

    if (installed->on_settled)
        installed->on_settled(installed->process);
}

static bool ask_names(struct gd_installed *installed, struct gd_err *err)
{
    struct process *process = installed->process;
    struct gd_names_config config = {
        .loop = process->loop,
        .plan = installed->plan,
        .before = process->newest ? process->newest->names : NULL,
        .on_place = on_place,
        .on_settled = on_settled,
        .arg = installed,
    };

    installed->names = gd_names_new(&config, err);
    return installed->names != NULL;
}

bool gd_install_is_settled(const struct gd_installed *installed)
{
    return gd_names_are_settled(installed->names);
}

uint32_t gd_install_patience_ms(const struct gd_installed *installed)
{
    enum { BEYOND_MS = 250 };

    return installed->plan->resolver.timeout_ms + BEYOND_MS;
}

struct gd_installed *gd_install_prepare(struct process *process, struct gd_plan *plan,
                                        void (*settled)(struct process *process),
                                        struct gd_err *err)
{
    struct gd_installed *installed = gd_alloc(sizeof(*installed));
    unsigned workers = process->worker_count;

    installed->process = process;
    installed->plan = gd_plan_ref(plan);
    if (process->newest)
        installed->change = gd_plan_compare(process->newest->plan, plan);
    installed->on_settled = settled;
    installed->addresses = gd_addresses_of(plan);
    if (!ask_names(installed, err) || !open_mocks(installed, err)) {
        release(installed);
        return NULL;
    }
    gd_plan_unref(plan);
    installed->stats = gd_alloc_array(workers, sizeof(*installed->stats));
    installed->stays = gd_alloc_array(workers, sizeof(*installed->stays));
    for (unsigned i = 0; i < workers; i++) {
        installed->stats[i] = stats_of(installed, i);
        installed->stays[i] = (struct gd_stay){.installed = installed, .worker = i};
    }
    installed->users = workers;
    return installed;
}

void gd_install_abandon(struct gd_installed *installed)
{
    release(installed);
}

/* What both plans have goes on by the names of the new one, which took over what those of
 * the old one knew. */
void gd_install(struct gd_installed *installed)
{
    struct process *process = installed->process;

    installed->sites = gd_names_sites(installed->names);
    if (process->newest) {
        gd_names_free(process->newest->names);
        process->newest->names = NULL;
    }
    installed->next = process->newest;
    process->newest = installed;
    process->stats[GD_PROCESS_PLANS]++;
}

static void forget(struct gd_installed *installed)
{
    struct gd_installed **at = &installed->process->newest;

    while (*at != installed)
        at = &(*at)->next;
    *at = installed->next;
    installed->process->stats[GD_PROCESS_PLANS]--;
    release(installed);
}

static void on_left(void *arg)
{
    struct gd_stay *stay = arg;
    struct gd_installed *installed = stay->installed;

    if (--installed->users > 0)
        return;
    gd_mock_thread_leave(installed->process->mocks, installed->plan);
    forget(installed);
}

/* In the worker's thread. */
static void on_end(void *arg)
{
    struct gd_stay *stay = arg;

    gd_loop_post(stay->installed->process->loop, on_left, stay);
}

void gd_install_describe(struct gd_installed *installed, unsigned worker,
                         struct gd_engine_plan *out)
{
    *out = (struct gd_engine_plan){
        .plan = installed->plan,
        .stats = installed->stats[worker],
        .addresses = installed->addresses,
        .sites = installed->sites,
        .kept = installed->change ? installed->change->kept : NULL,
        .on_end = on_end,
        .arg = &installed->stays[worker],
    };
}

void gd_install_end(struct process *process)
{
    while (process->newest)
        forget(process->newest);
}
