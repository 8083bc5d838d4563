#include "gather/trail.h"

#include "gather/again.h"
#include "gather/gather_inside.h"

static void fill(struct gd_trail *trail, const struct gd_part *part, unsigned index)
{
    const struct gd_call *call = &part->calls[index];
    const char *server = gd_lease_server_name(&call->lease);

    *trail = (struct gd_trail){
        .name = gd_span_of(part->plan->name),
        .server = server ? gd_span_of(server) : GD_SPAN(""),
        .item = part->plan->each ? index : GD_TRAIL_SINGLE,
        .start_us = call->start_us,
        .asked_us = call->asked_us,
        .dial_us = call->asked_us ? call->lease.dial_us : 0,
        .leased_us = call->leased_us,
        .heard_us = call->leased_us && call->exchange.heard ? call->exchange.heard_us : 0,
        .end_us = call->ended_us,
        .failure = call->failure,
        .status = call->status,
        .tries = call->tries,
        .stale = call->stale,
        .hedged = gd_hedge_was_sent(call),
        .optional = part->plan->optional,
    };
}

void gd_gather_trails(const struct gd_gather *gather,
                      bool (*fn)(void *arg, const struct gd_trail *trail), void *arg)
{
    struct gd_trail trail;

    for (unsigned i = 0; i < gather->count; i++) {
        const struct gd_part *part = &gather->parts[i];

        for (unsigned k = 0; k < part->started; k++) {
            if (part->calls[k].ended_us == 0)
                continue;
            fill(&trail, part, k);
            if (!fn(arg, &trail))
                return;
        }
    }
}

bool gd_gather_has_failures(const struct gd_gather *gather)
{
    for (unsigned i = 0; i < gather->count; i++)
        if (gather->parts[i].failure && gather->parts[i].failure != GD_FAIL_CANCELLED)
            return true;
    return false;
}
