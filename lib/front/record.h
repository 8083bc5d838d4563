#ifndef GD_FRONT_RECORD_H
#define GD_FRONT_RECORD_H
/**
 * A record: what is known of a request when it has ended, in one piece of memory that
 * borrows nothing, so that it can be handed to another thread and kept.
 *
 * A worker writes it in some hundred instructions; text is made of it elsewhere.
 */
#include "front/front.h"
#include "gather/trail.h"

enum {
    GD_RECORD_MAX = 32 * 1024, /* bytes of one */
    GD_RECORD_PATH_MAX = 2048, /* longer texts are cut */
    GD_RECORD_TEXT_MAX = 512,
};

/** Its texts, in this order behind the struct. */
enum gd_record_text {
    GD_RECORD_ID,
    GD_RECORD_IP,
    GD_RECORD_PEER, /* empty where it is the IP */
    GD_RECORD_METHOD,
    GD_RECORD_HOST,
    GD_RECORD_PATH,
    GD_RECORD_QUERY,
    GD_RECORD_ROUTE, /* its pattern; empty: none */
    GD_RECORD_TEXTS
};

struct gd_record {
    uint64_t start_us, duration_us; /* monotonic */
    uint64_t bytes_in, bytes_out;
    uint32_t bytes; /* of all of it */
    uint16_t status;
    uint8_t how; /* enum gd_end */
    bool failed, slow;
    uint8_t header_count;
    uint16_t call_count, calls_left_out;
    uint16_t lengths[GD_RECORD_TEXTS];
};

/** memcpy for texts that are mostly short, where the call of it would cost more than it
 *  does: two moves that overlap. */
static inline void gd_copy_short(char *to, const char *from, size_t len)
{
    uint64_t first, last;

    if (len >= 8 && len <= 16) {
        memcpy(&first, from, 8);
        memcpy(&last, from + len - 8, 8);
        memcpy(to, &first, 8);
        memcpy(to + len - 8, &last, 8);
    } else {
        memcpy(to, from, len);
    }
}

/** What is told of a call; its name and its server stand behind it. */
struct gd_record_call {
    uint64_t start_us, asked_us, dial_us, leased_us, heard_us, end_us;
    uint32_t item, tries;
    uint16_t status, name_length, server_length;
    uint8_t failure;
    bool stale, hedged, optional;
};

/* Writing ------------------------------------------------------------------------------
 */

/** Where a record is written: memory of GD_RECORD_MAX bytes, aligned to 8. */
struct gd_recorder {
    struct gd_record *record;
    size_t len;
};

/** Begins a record: texts and numbers are filled in by the caller before it goes on with
 *  the rest in this order. */
void gd_record_begin(struct gd_recorder *to, void *memory);

/** Sets the texts. */
void gd_record_texts(struct gd_recorder *to, const struct gd_span *texts);

/** Adds a header field of the request. */
void gd_record_header(struct gd_recorder *to, struct gd_span name, struct gd_span value);

/** Adds a call; what finds no room is counted. Always true, as gd_gather_trails wants. */
bool gd_record_trail(void *recorder, const struct gd_trail *trail);

/** The record is complete; its bytes are set. */
void gd_record_end(struct gd_recorder *to);

/* Reading ------------------------------------------------------------------------------
 */

/** Returns borrowed: one of the texts. */
struct gd_span gd_record_text(const struct gd_record *record, enum gd_record_text which);

/** The address that is connected. */
struct gd_span gd_record_peer(const struct gd_record *record);

/** A place behind the texts, to go on from. */
struct gd_record_reader {
    const struct gd_record *record;
    size_t at;
};

/** texts: room for GD_RECORD_TEXTS, or NULL. */
struct gd_record_reader gd_record_read(const struct gd_record *record,
                                       struct gd_span *texts);

/** The next header field; as many as there are, then the calls. */
void gd_record_next_header(struct gd_record_reader *reader, struct gd_span *name,
                           struct gd_span *value);
void gd_record_next_call(struct gd_record_reader *reader, struct gd_record_call *call,
                         struct gd_span *name, struct gd_span *server);

#endif
