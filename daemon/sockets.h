#ifndef GD_DAEMON_SOCKETS_H
#define GD_DAEMON_SOCKETS_H
/**
 * The sockets of the process and the addresses of its upstreams: what is opened or looked
 * up once, before the workers start.
 */
#include "base/err.h"
#include "net/address.h"
#include "plan/plan.h"

/** One listening socket. Several of them may come from one `systemd:` entry. */
struct gd_socket {
    int fd;
    unsigned listen; /* index in the listens of the plan it was opened by */
    bool inherited;  /* systemd's: stays open in the process, as it came */
    char *path;      /* of a unix socket that is ours, removed at the end; else NULL */
};

struct gd_sockets {
    struct gd_socket *all;
    unsigned count;
    struct gd_socket admin; /* fd -1: the admin endpoint is off */
};

/** Opens all of them and logs where it listens. False with err: nothing stays open. */
GD_MUST_CHECK bool gd_sockets_open(struct gd_sockets *sockets, const struct gd_plan *plan,
                                   struct gd_err *err);

/** Closes those of `listen` and removes the files of unix sockets: once the workers have
 *  closed their own as well, connections are refused. Idempotent. */
void gd_sockets_close_listens(struct gd_sockets *sockets);

/** Closes all of them, the admin endpoint's too. */
void gd_sockets_close(struct gd_sockets *sockets);

/** Returns an owned array with the address of every server of plan. One that cannot be
 *  resolved is logged and has len 0: its calls fail with `connect`. Mocks have len 0 too.
 */
struct gd_address *gd_addresses_resolve(const struct gd_plan *plan);

#endif
