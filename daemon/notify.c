#include "daemon/notify.h"

#if GD_HAVE_SYSTEMD
#include <systemd/sd-daemon.h>

void gd_notify(const char *state)
{
    sd_notify(0, state);
}
#else
void gd_notify(const char *state)
{
    (void)state;
}
#endif
