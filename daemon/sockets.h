#ifndef GD_DAEMON_SOCKETS_H
#define GD_DAEMON_SOCKETS_H
/**
 * The sockets of the process and the addresses of its upstreams: what is opened or known
 * before the workers start.
 */
#include "base/err.h"
#include "net/address.h"
#include "plan/plan.h"

/** One listening socket. Several of them may come from one `systemd:` entry. */
struct gd_socket {
    int fd;
    unsigned listen; /* index in the listens of the plan */
    bool inherited;  /* systemd's: stays open in the process, as it came */
    bool kept;       /* it was open before the list was made */
    char *path;      /* of a unix socket that is ours, removed at the end; else NULL */
    char *text;      /* its address in the configuration, by which it is known again */
};

struct gd_sockets {
    struct gd_socket *all;
    unsigned count;
    struct gd_socket admin; /* fd -1: the admin endpoint is off */
    bool lent;              /* another process has them as well: files are not removed */
};

/** Opens all of them and logs where it listens. What is there already (handed over by an
 *  earlier process) is used and not opened again. False with err: nothing stays open. */
GD_MUST_CHECK bool gd_sockets_open(struct gd_sockets *sockets, const struct gd_plan *plan,
                                   struct gd_err *err);

/** Makes the list of the next plan: what has the same address in `before` is kept, the
 *  rest is opened. False with err: nothing has changed. */
GD_MUST_CHECK bool gd_sockets_next(const struct gd_sockets *before,
                                   const struct gd_plan *plan, struct gd_sockets *next,
                                   struct gd_err *err);

/** Gives that up again. */
void gd_sockets_drop(struct gd_sockets *next);

/** Puts it in the place of the one before: closes what it does not have. next is empty
 *  afterwards. */
void gd_sockets_take_over(struct gd_sockets *sockets, struct gd_sockets *next,
                          const struct gd_plan *plan);

/** Closes those of `listen` and removes the files of unix sockets: once the workers have
 *  closed their own as well, connections are refused. Idempotent. */
void gd_sockets_close_listens(struct gd_sockets *sockets);

/** Closes all of them, the admin endpoint's too. */
void gd_sockets_close(struct gd_sockets *sockets);

/** Returns an owned array with the address of every server of plan. Mocks have len 0, and
 *  so have those that follow a name (upstream/names.h). */
struct gd_address *gd_addresses_of(const struct gd_plan *plan);

#endif
