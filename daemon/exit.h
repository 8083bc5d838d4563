#ifndef GD_DAEMON_EXIT_H
#define GD_DAEMON_EXIT_H
/** Exit codes, those of sysexits.h that a service manager knows. */
enum gd_exit {
    GD_EXIT_OK = 0,
    GD_EXIT_NO_ROUTE = 1, /* of explain */
    GD_EXIT_DEGRADED = 1, /* of status: not all is as it should be */
    GD_EXIT_USAGE = 64,
    GD_EXIT_SYSTEM = 71, /* the system refused a thread, a loop, a socket */
    GD_EXIT_IO = 74,     /* nothing could be written */
    GD_EXIT_CONFIG = 78,
};
#endif
