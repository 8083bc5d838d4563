#include "front/recent.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "front/access_line.h"

/* The last ones, oldest first from `first`. */
struct shelf {
    struct gd_record **records;
    unsigned room, count, first;
};

struct gd_recent {
    pthread_mutex_t lock;
    struct shelf shelves[GD_RECENT_KINDS];
};

struct gd_recent *gd_recent_new(void)
{
    struct gd_recent *recent = gd_alloc(sizeof(*recent));

    pthread_mutex_init(&recent->lock, NULL);
    return recent;
}

static void empty(struct shelf *shelf)
{
    for (unsigned i = 0; i < shelf->count; i++)
        gd_free(shelf->records[(shelf->first + i) % shelf->room]);
    gd_free(shelf->records);
    *shelf = (struct shelf){.records = NULL};
}

void gd_recent_free(struct gd_recent *recent)
{
    if (recent == NULL)
        return;
    for (unsigned i = 0; i < GD_RECENT_KINDS; i++)
        empty(&recent->shelves[i]);
    pthread_mutex_destroy(&recent->lock);
    gd_free(recent);
}

/* After a reload there may be another number of them. */
static void resize(struct shelf *shelf, unsigned room)
{
    empty(shelf);
    if (room)
        shelf->records = gd_alloc_array(room, sizeof(*shelf->records));
    shelf->room = room;
}

static void put(struct shelf *shelf, struct gd_record *record)
{
    if (shelf->count < shelf->room) {
        shelf->records[(shelf->first + shelf->count++) % shelf->room] = record;
        return;
    }
    gd_free(shelf->records[shelf->first]);
    shelf->records[shelf->first] = record;
    shelf->first = (shelf->first + 1) % shelf->room;
}

void gd_recent_store(struct gd_recent *recent, const struct gd_record *record,
                     unsigned most)
{
    struct shelf *shelf =
        &recent->shelves[record->failed ? GD_RECENT_FAILED : GD_RECENT_SLOW];
    struct gd_record *copy = most ? gd_try_alloc(record->bytes) : NULL;

    if (copy)
        memcpy(copy, record, record->bytes);
    pthread_mutex_lock(&recent->lock);
    if (shelf->room != most)
        resize(shelf, most);
    if (copy)
        put(shelf, copy);
    pthread_mutex_unlock(&recent->lock);
}

/* JSON ----------------------------------------------------------------------------------
 */

/* Copies of the records, so that text is made without the lock. */
struct pile {
    struct gd_record **records;
    size_t count, room;
};

static void copy_shelf(struct gd_recent *recent, enum gd_recent_kind kind,
                       struct pile *pile)
{
    struct shelf *shelf = &recent->shelves[kind];

    pthread_mutex_lock(&recent->lock);
    if (pile->count + shelf->count > pile->room) {
        pile->room = pile->count + shelf->count;
        pile->records = gd_realloc(pile->records, pile->room * sizeof(*pile->records));
    }
    for (unsigned i = 0; i < shelf->count; i++) {
        const struct gd_record *record = shelf->records[(shelf->first + i) % shelf->room];
        struct gd_record *copy = gd_alloc(record->bytes);

        memcpy(copy, record, record->bytes);
        pile->records[pile->count++] = copy;
    }
    pthread_mutex_unlock(&recent->lock);
}

static int later_first(const void *a, const void *b)
{
    const struct gd_record *one = *(struct gd_record *const *)a;
    const struct gd_record *other = *(struct gd_record *const *)b;
    uint64_t one_us = one->start_us + one->duration_us;
    uint64_t other_us = other->start_us + other->duration_us;

    return one_us < other_us ? 1 : one_us > other_us ? -1 : 0;
}

/* Text of a client may be no UTF-8; what jansson does not take is left out. */
static void set_text(json_t *into, const char *key, struct gd_span text)
{
    json_t *value = json_stringn(text.ptr ? text.ptr : "", text.len);

    json_object_set_new(into, key, value ? value : json_string("?"));
}

/* A moment of a call in milliseconds since its request began; none: null. */
static void set_moment(json_t *into, const char *key, uint64_t at_us, uint64_t start_us)
{
    double ms = at_us >= start_us ? (double)(at_us - start_us) / 1000 : 0;

    json_object_set_new(into, key, at_us ? json_real(ms) : json_null());
}

static json_t *call_json(const struct gd_record *record,
                         const struct gd_record_call *call, struct gd_span name,
                         struct gd_span server)
{
    uint64_t start_us = record->start_us;
    json_t *json = json_object();

    set_text(json, "call", name);
    if (call->item != GD_TRAIL_SINGLE)
        json_object_set_new(json, "item", json_integer(call->item));
    set_text(json, "server", server);
    set_moment(json, "start_ms", call->start_us, start_us);
    set_moment(json, "asked_ms", call->asked_us, start_us);
    set_moment(json, "dial_ms", call->dial_us, start_us);
    set_moment(json, "leased_ms", call->leased_us, start_us);
    set_moment(json, "first_byte_ms", call->heard_us, start_us);
    set_moment(json, "end_ms", call->end_us, start_us);
    if (call->status)
        json_object_set_new(json, "status", json_integer(call->status));
    if (call->failure)
        json_object_set_new(json, "class",
                            json_string(gd_failure_word((enum gd_failure)call->failure)));
    json_object_set_new(json, "retries", json_integer(call->tries));
    json_object_set_new(json, "stale", json_boolean(call->stale));
    json_object_set_new(json, "hedged", json_boolean(call->hedged));
    json_object_set_new(json, "optional", json_boolean(call->optional));
    return json;
}

static json_t *calls_json(const struct gd_record *record)
{
    struct gd_record_reader reader = gd_record_read(record, NULL);
    json_t *list = json_array();
    struct gd_record_call call;
    struct gd_span name, server;

    for (unsigned i = 0; i < record->header_count; i++)
        gd_record_next_header(&reader, &name, &server);
    for (unsigned i = 0; i < record->call_count; i++) {
        gd_record_next_call(&reader, &call, &name, &server);
        json_array_append_new(list, call_json(record, &call, name, server));
    }
    return list;
}

static json_t *record_json(const struct gd_record *record, struct gd_access_clock *clock)
{
    static const struct {
        const char *key;
        enum gd_record_text text;
    } texts[] = {{"id", GD_RECORD_ID},         {"ip", GD_RECORD_IP},
                 {"method", GD_RECORD_METHOD}, {"host", GD_RECORD_HOST},
                 {"path", GD_RECORD_PATH},     {"route", GD_RECORD_ROUTE}};
    struct gd_buf time;
    json_t *json = json_object();

    gd_buf_init(&time, NULL, 64);
    if (gd_access_time(clock, record->start_us, &time))
        set_text(json, "time", gd_buf_span(&time));
    gd_buf_free(&time);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        set_text(json, texts[i].key, gd_record_text(record, texts[i].text));
    json_object_set_new(json, "status", json_integer(record->status));
    json_object_set_new(json, "end", json_string(gd_end_word((enum gd_end)record->how)));
    json_object_set_new(json, "slow", json_boolean(record->slow));
    json_object_set_new(json, "ms", json_real((double)record->duration_us / 1000));
    json_object_set_new(json, "in", json_integer((json_int_t)record->bytes_in));
    json_object_set_new(json, "out", json_integer((json_int_t)record->bytes_out));
    json_object_set_new(json, "calls", calls_json(record));
    json_object_set_new(json, "calls_left_out", json_integer(record->calls_left_out));
    return json;
}

static json_t *kind_json(struct gd_recent *const *recents, unsigned count,
                         enum gd_recent_kind kind, struct gd_access_clock *clock)
{
    struct pile pile = {.records = NULL};
    json_t *list = json_array();

    for (unsigned i = 0; i < count; i++)
        copy_shelf(recents[i], kind, &pile);
    if (pile.count)
        qsort(pile.records, pile.count, sizeof(*pile.records), later_first);
    for (size_t i = 0; i < pile.count; i++) {
        json_array_append_new(list, record_json(pile.records[i], clock));
        gd_free(pile.records[i]);
    }
    gd_free(pile.records);
    return list;
}

static int on_json(const char *bytes, size_t len, void *arg)
{
    return gd_buf_add(arg, bytes, len) ? 0 : -1;
}

bool gd_recent_json(struct gd_recent *const *recents, unsigned count, struct gd_buf *out)
{
    struct gd_access_clock clock = {.second = -1};
    json_t *json;
    bool ok;

    gd_access_clock_set(&clock);
    json =
        json_pack("{s:o, s:o}", "slow", kind_json(recents, count, GD_RECENT_SLOW, &clock),
                  "failed", kind_json(recents, count, GD_RECENT_FAILED, &clock));
    ok = json && json_dump_callback(json, on_json, out,
                                    JSON_INDENT(1) | JSON_REAL_PRECISION(9)) == 0;
    json_decref(json);
    return ok && gd_buf_add_text(out, "\n");
}
