#include "daemon/notify.h"

#if GD_HAVE_SYSTEMD
#include <systemd/sd-daemon.h>

void gd_notify(const char *state)
{
    sd_notify(0, state);
}

uint64_t gd_notify_watchdog_us(void)
{
    uint64_t us = 0;

    return sd_watchdog_enabled(0, &us) > 0 ? us : 0;
}
#else
void gd_notify(const char *state)
{
    (void)state;
}

uint64_t gd_notify_watchdog_us(void)
{
    return 0;
}
#endif
