#include "daemon/restart.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/drain.h"
#include "daemon/handover.h"
#include "daemon/notify.h"
#include "daemon/process.h"
#include "daemon/reload.h"

/* A successor that is not ready by then is ended. */
enum { LIMIT_MS = 60 * 1000 };

static void forget(struct gd_restart *restart)
{
    if (restart->pid == 0)
        return;
    gd_timer_disarm(&restart->limit);
    event_free(restart->event);
    close(restart->fd);
    restart->event = NULL;
    restart->pid = 0;
}

static void succeed(struct process *process)
{
    struct gd_restart *restart = &process->restart;
    char state[32];

    process->successor = restart->pid;
    snprintf(state, sizeof(state), "MAINPID=%d", (int)restart->pid);
    gd_notify(state);
    gd_watchdog_stop(&process->watchdog);
    forget(restart);
    gd_drain_handed_over(process);
}

static void say_end(pid_t pid, int status)
{
    if (WIFEXITED(status))
        gd_log(GD_LOG_ERROR,
               "process %d ended with %d before it was ready; this one goes on", (int)pid,
               WEXITSTATUS(status));
    else
        gd_log(GD_LOG_ERROR,
               "process %d was ended by signal %d before it was ready; this one goes on",
               (int)pid, WTERMSIG(status));
}

/* Its end of the pipe is closed, so it has ended or is about to. */
static void fail(struct process *process)
{
    pid_t pid = process->restart.pid;
    int status = 0;

    forget(&process->restart);
    process->stats[GD_PROCESS_RESTARTS_FAILED]++;
    kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    say_end(pid, status);
}

static void on_word(evutil_socket_t fd, short what, void *arg)
{
    struct process *process = arg;
    char word;
    ssize_t n = read(fd, &word, 1);

    (void)what;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n == 1)
        succeed(process);
    else
        fail(process);
}

static void on_limit(void *arg)
{
    struct process *process = arg;

    gd_log(GD_LOG_ERROR, "process %d is not ready after %d s and is ended",
           (int)process->restart.pid, LIMIT_MS / 1000);
    fail(process);
}

void gd_restart(struct process *process)
{
    struct gd_restart *restart = &process->restart;
    struct gd_err err;
    pid_t pid;

    if (atomic_load(&process->life) != GD_LIFE_READY || restart->pid) {
        gd_log(GD_LOG_WARN, "no restart while starting, restarting or draining");
        return;
    }
    if (gd_reload_delays(process, gd_restart))
        return;
    pid = gd_handover_start(process->argv, &process->sockets, &restart->fd, &err);
    if (pid < 0) {
        gd_log(GD_LOG_ERROR, "%s; this process goes on", err.text);
        process->stats[GD_PROCESS_RESTARTS_FAILED]++;
        return;
    }
    gd_log(GD_LOG_INFO, "process %d is started to take over", (int)pid);
    restart->pid = pid;
    restart->event = event_new(gd_loop_base(process->loop), restart->fd,
                               EV_READ | EV_PERSIST, on_word, process);
    gd_loop_must(restart->event && event_add(restart->event, NULL) == 0);
    gd_timer_init(&restart->limit, process->loop, on_limit, process);
    gd_timer_arm(&restart->limit, LIMIT_MS);
}

void gd_restart_cancel(struct process *process)
{
    if (process->restart.pid) {
        gd_log(GD_LOG_INFO, "the restart is given up");
        fail(process);
    }
}
