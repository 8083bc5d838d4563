#include "net/race.h"

#include <assert.h>
#include <errno.h>

#include "base/mem.h"
#include "net/stream.h"

/* One address, and the connection that is tried with it. */
struct runner {
    struct gd_race *race;
    struct gd_address to;
    struct gd_stream stream;
};

struct gd_race {
    struct gd_loop *loop;
    void (*on_done)(void *arg, int fd, const struct gd_address *to);
    void *arg;
    unsigned count, next; /* runners; the next one to start */
    unsigned running;
    int error; /* of the last one that failed */
    struct gd_timer step;
    struct gd_grave grave;
    struct runner runners[];
};

static unsigned take_family(const struct gd_address *from, unsigned count,
                            const struct gd_address *like, bool same,
                            struct gd_address *out)
{
    unsigned found = 0;

    for (unsigned i = 0; i < count; i++)
        if ((from[i].sa.ss_family == like->sa.ss_family) == same)
            out[found++] = from[i];
    return found;
}

void gd_race_order(struct gd_address *addresses, unsigned count)
{
    struct gd_address firsts[GD_RACE_MAX], others[GD_RACE_MAX];
    unsigned first_count, other_count;

    assert(count <= GD_RACE_MAX);
    if (count == 0)
        return;
    first_count = take_family(addresses, count, &addresses[0], true, firsts);
    other_count = take_family(addresses, count, &addresses[0], false, others);
    for (unsigned i = 0, at = 0; at < count; i++) {
        if (i < first_count)
            addresses[at++] = firsts[i];
        if (i < other_count)
            addresses[at++] = others[i];
    }
}

static void end(struct gd_race *race)
{
    gd_timer_disarm(&race->step);
    for (unsigned i = 0; i < race->next; i++)
        gd_stream_close(&race->runners[i].stream, false);
    gd_loop_bury(race->loop, &race->grave, gd_free, race);
}

/* Starts the next one that the system does not refuse at once; false when there is none.
 */
static bool start_next(struct gd_race *race)
{
    gd_timer_disarm(&race->step);
    while (race->next < race->count) {
        struct runner *runner = &race->runners[race->next++];

        if (!gd_stream_connect(&runner->stream, &runner->to)) {
            race->error = errno;
            continue;
        }
        race->running++;
        if (race->next < race->count)
            gd_timer_arm(&race->step, GD_RACE_STEP_MS);
        return true;
    }
    return false;
}

static void on_step(void *arg)
{
    struct gd_race *race = arg;

    if (start_next(race) || race->running)
        return;
    end(race);
    errno = race->error;
    race->on_done(race->arg, -1, NULL);
}

static void on_connected(void *arg)
{
    struct runner *runner = arg;
    struct gd_race *race = runner->race;

    if (gd_stream_connected(&runner->stream)) {
        int fd = gd_stream_release(&runner->stream);

        end(race);
        race->on_done(race->arg, fd, &runner->to);
        return;
    }
    race->error = errno;
    gd_stream_close(&runner->stream, false);
    race->running--;
    on_step(race);
}

struct gd_race *
gd_race_start(struct gd_loop *loop, const struct gd_address *addresses, unsigned count,
              unsigned first,
              void (*on_done)(void *arg, int fd, const struct gd_address *to), void *arg)
{
    struct gd_race *race = gd_alloc(sizeof(*race) + count * sizeof(race->runners[0]));

    assert(count > 0 && count <= GD_RACE_MAX && first < count);
    *race =
        (struct gd_race){.loop = loop, .on_done = on_done, .arg = arg, .count = count};
    gd_timer_init(&race->step, loop, on_step, race);
    for (unsigned i = 0; i < count; i++) {
        struct runner *runner = &race->runners[i];

        runner->race = race;
        runner->to = addresses[i == 0 ? first : i <= first ? i - 1 : i];
        gd_stream_init(&runner->stream, loop, on_connected, on_connected, runner);
    }
    if (start_next(race))
        return race;
    errno = race->error;
    gd_free(race);
    return NULL;
}

void gd_race_cancel(struct gd_race *race)
{
    if (race)
        end(race);
}
