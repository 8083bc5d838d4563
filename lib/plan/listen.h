#ifndef GD_PLAN_LISTEN_H
#define GD_PLAN_LISTEN_H
/**
 * Addresses, and sockets to listen on, in a plan.
 */
#include <stdbool.h>
#include <stdint.h>

struct gd_tls_server;

/** A socket address as text, still unresolved. */
struct gd_plan_address {
    enum { GD_ADDRESS_TCP, GD_ADDRESS_UNIX, GD_ADDRESS_SYSTEMD } kind;
    const char
        *host; /* TCP: name or literal, IPv6 without brackets; "" or "::" is dual stack */
    uint16_t port;    /* TCP; 0 lets the system choose */
    const char *path; /* UNIX; SYSTEMD: the FileDescriptorName of inherited sockets */
    const char *text; /* as a person would write it: http://127.0.0.1:8080, unix:/run/x */
};

#define GD_ID_UNCHANGED UINT32_MAX

/** What a listening socket is like. */
struct gd_plan_listen {
    struct gd_plan_address address;
    struct gd_tls_server *tls; /* the plan has a reference; NULL: plain */
    bool proxy_protocol;       /* connections begin with a PROXY header */
    unsigned backlog;
    unsigned mode;         /* UNIX: of the file; 0: as the umask leaves it */
    uint32_t owner, group; /* UNIX: ids; GD_ID_UNCHANGED */
};

#endif
