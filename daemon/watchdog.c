#include "daemon/watchdog.h"

#include "base/log.h"
#include "daemon/notify.h"
#include "daemon/process.h"

/* How often in the time after which the service manager would act. */
enum { TIMES = 4, AT_LEAST_MS = 10 };

static void answer(struct gd_engine *engine, void *arg)
{
}

static void on_answered(void *arg)
{
    struct gd_watchdog *watchdog = arg;

    watchdog->asking = false;
    gd_notify("WATCHDOG=1");
}

static void on_timer(void *arg)
{
    static struct gd_log_limit limit;
    struct gd_watchdog *watchdog = arg;

    gd_timer_arm(&watchdog->timer, watchdog->every_ms);
    if (watchdog->asking) {
        gd_log_limited(&limit, GD_LOG_WARN,
                       "a worker does not answer; the service manager is not told that "
                       "all is well");
        return;
    }
    watchdog->asking = true;
    gd_teller_tell(&watchdog->process->teller, answer, watchdog, on_answered);
}

void gd_watchdog_start(struct gd_watchdog *watchdog, struct process *process)
{
    uint64_t limit_ms = gd_notify_watchdog_us() / 1000;

    if (limit_ms == 0)
        return;
    watchdog->process = process;
    watchdog->every_ms =
        limit_ms / TIMES > AT_LEAST_MS ? (uint32_t)(limit_ms / TIMES) : AT_LEAST_MS;
    gd_timer_init(&watchdog->timer, process->loop, on_timer, watchdog);
    gd_timer_arm(&watchdog->timer, watchdog->every_ms);
}

void gd_watchdog_stop(struct gd_watchdog *watchdog)
{
    gd_timer_disarm(&watchdog->timer);
}
