#ifndef GD_BASE_LOOP_H
#define GD_BASE_LOOP_H
/**
 * One event loop: the event base of a thread, its clock, timers, deferred work, graveyard
 * and block cache.
 *
 * A turn of the loop: wait for events, run their callbacks, run deferred work, bury the
 * dead. Everything here belongs to the loop's thread; only gd_loop_post and gd_loop_stop
 * may be called from others.
 */
#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/blocks.h"
#include "base/err.h"

struct gd_loop;

/** Returns an owned loop, NULL with err set when the system refuses one. */
struct gd_loop *gd_loop_new(struct gd_err *err);

/** Runs what is still deferred, empties the graveyard and frees the loop. All events and
 *  timers must have been removed before. */
void gd_loop_free(struct gd_loop *loop);

/** Runs turns until gd_loop_stop. */
void gd_loop_run(struct gd_loop *loop);

/** Runs turns until done(arg) is true (checked between turns) or limit_ms have passed;
 *  returns whether done(arg) was true. For tests and start-up. */
bool gd_loop_run_until(struct gd_loop *loop, bool (*done)(void *arg), void *arg,
                       uint32_t limit_ms);

/** Makes gd_loop_run return after the current turn. From any thread. */
void gd_loop_stop(struct gd_loop *loop);

/** Runs fn(arg) in the loop's thread soon. From any thread; aborts without memory. */
void gd_loop_post(struct gd_loop *loop, void (*fn)(void *arg), void *arg);

/** Returns borrowed: the event base, the block cache. */
struct event_base *gd_loop_base(struct gd_loop *loop);
struct gd_blocks *gd_loop_blocks(struct gd_loop *loop);

/** Aborts, in every build, when the event library could not do what a wait depends on:
 *  a deadline or an interest that is lost silently would be a wait for ever. */
void gd_loop_must(bool done);

/** Monotonic time in microseconds, read once per turn. */
uint64_t gd_loop_now_us(struct gd_loop *loop);

/** Wall-clock seconds since 1970, read once per turn; for Date and logs only. */
int64_t gd_loop_wall_s(struct gd_loop *loop);

/** The same, in microseconds, now: for logs. From any thread, without a loop. */
int64_t gd_wall_us(void);

/* Timers ------------------------------------------------------------------------------
 */

/** One timer, embedded in its owner. One shot; its callback may arm it again. */
struct gd_timer {
    struct event event;
    struct gd_loop *loop;
    void (*on_expired)(void *arg);
    void *arg;
};

/** Prepares a disarmed timer; on_expired(arg) runs from the loop. */
void gd_timer_init(struct gd_timer *timer, struct gd_loop *loop,
                   void (*on_expired)(void *arg), void *arg);

/** Arms, or re-arms, to expire in ms milliseconds. Equal durations share a queue, so
 *  arming costs no heap operation. */
void gd_timer_arm(struct gd_timer *timer, uint32_t ms);

/** Disarms; idempotent; on_expired does not run afterwards. Fine on a zeroed timer. */
void gd_timer_disarm(struct gd_timer *timer);

bool gd_timer_armed(const struct gd_timer *timer);

/* Deferred work ------------------------------------------------------------------------
 */

/** Work for the end of this turn, embedded in its owner. Zeroed memory is a valid idle
 *  work. Completions go through here, so that none happens inside the start. */
struct gd_work {
    struct gd_work *next, *prev;
    void (*run)(void *arg);
    void *arg;
};

/** Queues run(arg) for the end of the turn. The work must be idle. */
void gd_loop_defer(struct gd_loop *loop, struct gd_work *work, void (*run)(void *arg),
                   void *arg);

/** Takes queued work back; idempotent. */
void gd_work_cancel(struct gd_work *work);

static inline bool gd_work_queued(const struct gd_work *work)
{
    return work->next != 0;
}

/* Graveyard ----------------------------------------------------------------------------
 */

/** A dead object's place in the graveyard, embedded in it. */
struct gd_grave {
    struct gd_grave *next;
    void (*destroy)(void *object);
    void *object;
};

/** destroy(object) runs at the end of the turn, when no callback of it is on the stack.
 */
void gd_loop_bury(struct gd_loop *loop, struct gd_grave *grave,
                  void (*destroy)(void *object), void *object);

#endif
