#ifndef GD_DAEMON_PROCESS_H
#define GD_DAEMON_PROCESS_H
/**
 * The process while it serves, shared by the files of this folder that keep it going. All
 * of it belongs to the main thread.
 */
#include "base/loop.h"
#include "daemon/install.h"
#include "daemon/logs.h"
#include "daemon/restart.h"
#include "daemon/sockets.h"
#include "daemon/teller.h"
#include "daemon/watchdog.h"
#include "daemon/worker.h"
#include "front/admin.h"

struct gd_placing;

enum { GD_WORKERS_MAX = 256, GD_SIGNALS = 5 };

struct process {
    const char *file;     /* of the configuration; NULL: there is none to read again */
    struct gd_loop *loop; /* of the main thread: signals and the admin endpoint */
    char *const *argv;    /* of the process, to start a successor */
    struct gd_sockets sockets, next_sockets; /* at work, and while workers switch */
    int admin_fd;                            /* that the admin endpoint listens on */
    struct gd_logs logs;
    struct gd_restart restart;
    void (*wanted)(struct process *process); /* when the reload at hand is over */
    struct gd_mock_thread *mocks;
    struct gd_installed *newest; /* plan at work, of a list of all */
    struct gd_worker *workers[GD_WORKERS_MAX];
    unsigned worker_count;
    struct gd_teller teller;
    struct gd_placing *placings;  /* that workers are being told of */
    struct gd_installed *pending; /* while its names are looked up */
    struct gd_timer pending_limit;
    unsigned switching; /* workers that do not work by the newest plan yet */
    bool reload_again;  /* another reload was asked for meanwhile */
    unsigned cold;      /* workers whose pools are not as pool.min says yet */
    unsigned draining;  /* workers that have not drained yet */
    struct gd_admin *admin;
    struct gd_reload_view reload;
    struct gd_reload_waiter *reload_waiters, *later_waiters; /* for this one, the next */
    struct gd_work reload_over;
    uint64_t stats[GD_PROCESS_STATS];
    struct event *signals[GD_SIGNALS];
    struct gd_watchdog watchdog;
    struct gd_timer drain_timer; /* of the step at hand */
    pid_t successor;             /* that has taken over; 0: none has */
    uint64_t left_us;            /* when a successor took over; 0: none has */
    bool drain_closing; /* the last step: what is left is bounded by drain.timeout */
    bool stopped;       /* by a signal, while it was starting */
    _Atomic int life;
};

#endif
