#ifndef GD_PLAN_URL_H
#define GD_PLAN_URL_H
/**
 * URLs and addresses as a configuration writes them.
 */
#include "base/arena.h"
#include "plan/plan.h"

/** `http://HOST[:PORT]REST`, or with `https`, taken apart; spans borrow. */
struct gd_url {
    struct gd_span authority; /* `HOST[:PORT]` as written */
    struct gd_span host;      /* IPv6 without brackets */
    bool https;
    bool ipv6;
    uint16_t port; /* 80 when none is written, 443 with https */
    bool has_port;
    struct gd_span rest; /* from the first of `/?#`, may be empty */
};

/** Whether text starts like a URL: `scheme://`. */
bool gd_url_like(struct gd_span text);

/** Takes `http://` or `https://` and what follows apart, without a look at the host: of
 *  out only authority and rest are set. False with err: the sentence. */
GD_MUST_CHECK bool gd_url_split(struct gd_span text, struct gd_url *out,
                                struct gd_err *err);

/** Checks the authority of a URL that was split, and sets the rest of it. */
GD_MUST_CHECK bool gd_url_check(struct gd_url *url, struct gd_err *err);

/** Whether text is the name of a host, or an address without brackets. */
bool gd_host_is_valid(struct gd_span text);

/** Whether text is an address, IPv6 without brackets. */
bool gd_host_is_ip(struct gd_span text);

/** Takes a URL apart and checks scheme, host and port. False with err: the sentence. */
GD_MUST_CHECK bool gd_url_parse(struct gd_span text, struct gd_url *out,
                                struct gd_err *err);

/** An address to listen on: `http://HOST[:PORT]`, `https://HOST[:PORT]`, `unix:/PATH` or
 *  `systemd:NAME`. Its text is owned by the arena. *https (may be NULL: that is refused)
 *  tells which of the first two. */
GD_MUST_CHECK bool gd_url_listen(struct gd_arena *arena, struct gd_span text,
                                 struct gd_plan_address *out, bool *https,
                                 struct gd_err *err);

/** The TCP address of a URL, owned by the arena. */
struct gd_plan_address gd_url_address(struct gd_arena *arena, const struct gd_url *url);

/** Whether a program cannot listen on both: the same address, or one for all addresses
 * and the same port. Names are not looked up. */
bool gd_address_overlaps(const struct gd_plan_address *a,
                         const struct gd_plan_address *b);

/** Whether only programs of this machine can connect there. */
bool gd_address_is_local(const struct gd_plan_address *address);

#endif
