#ifndef GD_UPSTREAM_NAMES_INSIDE_H
#define GD_UPSTREAM_NAMES_INSIDE_H
/**
 * One name: what is asked, and what is known of it. Private to names.c, which says when
 * it is asked and tells what has changed, and name.c, which asks and keeps the answers.
 */
#include "net/resolve.h"
#include "upstream/names.h"
#include "upstream/slots.h"

/** The last good addresses of a host, by family: IPv6, IPv4. */
struct gd_known {
    struct gd_address *list[2]; /* with port 0; owned */
    unsigned count[2];
};

/** A target of a service, and where its host is. */
struct gd_known_target {
    struct gd_name *name;
    struct gd_service service;
    struct gd_known known;
    struct gd_lookup *lookup;
};

struct gd_name {
    struct gd_names *names;
    const struct gd_plan_upstream *upstream;
    const struct gd_plan_server *server; /* the first of its slots */
    const char *text;                    /* the host, or the service */
    enum gd_discovery kind;              /* NONE: of one server */
    unsigned first, slot_count; /* the slots, as a range of the upstream's servers */
    struct gd_slot *slots;
    uint64_t turn; /* of assigning them */
    /* when it is asked */
    struct gd_timer timer;
    struct gd_name *next_due;
    bool settled;
    /* the last good answer */
    struct gd_known known;
    struct gd_known_target *targets;
    unsigned target_count;
    /* the present lookup, or the last one */
    struct gd_lookup *lookup;
    unsigned waiting; /* lookups of targets */
    const char *error;
    uint32_t ttl_ms;
    unsigned left_out;
    /* what is shown */
    unsigned failures; /* in a row */
    int64_t resolved_s, next_s;
    uint64_t values[GD_NAME_STATS];
};

/** Asks; gd_name_asked comes later, from the loop. */
void gd_name_ask(struct gd_name *name);

/** In names.c: the lookup has ended: known, error and ttl_ms are of now. */
void gd_name_asked(struct gd_name *name);

struct gd_resolver *gd_name_resolver(const struct gd_name *name);

/** Makes a target for each server the name stands for now; returns how many (at most
 *  2 * GD_FOUND_MAX). Adds to left_out. */
unsigned gd_name_want(struct gd_name *name, struct gd_site **wanted);

/** Takes over what is known, and the slots, from another one. */
void gd_name_copy(struct gd_name *name, const struct gd_name *from);

/** Cancels its lookups and forgets what is known. */
void gd_name_clear(struct gd_name *name);

#endif
