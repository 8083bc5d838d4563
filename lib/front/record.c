#include "front/record.h"

#include <assert.h>

struct header {
    uint16_t name_length, value_length;
};

/* What may follow the texts is bounded so that a record always has room for them. */
_Static_assert(sizeof(struct gd_record) + 2 * GD_RECORD_PATH_MAX +
                       GD_RECORD_TEXTS * GD_RECORD_TEXT_MAX +
                       GD_LOG_HEADERS_MAX *
                           (sizeof(struct header) + 2 * GD_RECORD_TEXT_MAX) <
                   GD_RECORD_MAX,
               "texts and header fields find room in a record");

void gd_record_begin(struct gd_recorder *to, void *memory)
{
    to->record = memory;
    to->len = sizeof(struct gd_record);
    memset(memory, 0, sizeof(struct gd_record));
}

static inline uint16_t add(struct gd_recorder *to, struct gd_span text, size_t most)
{
    size_t len = text.len < most ? text.len : most;

    if (len)
        gd_copy_short((char *)to->record + to->len, text.ptr, len);
    to->len += len;
    return (uint16_t)len;
}

void gd_record_texts(struct gd_recorder *to, const struct gd_span *texts)
{
    for (unsigned i = 0; i < GD_RECORD_TEXTS; i++)
        if (texts[i].len)
            to->record->lengths[i] =
                add(to, texts[i],
                    i == GD_RECORD_PATH || i == GD_RECORD_QUERY ? GD_RECORD_PATH_MAX
                                                                : GD_RECORD_TEXT_MAX);
}

void gd_record_header(struct gd_recorder *to, struct gd_span name, struct gd_span value)
{
    struct header header;
    size_t at = to->len;

    to->len += sizeof(header);
    header.name_length = add(to, name, GD_RECORD_TEXT_MAX);
    header.value_length = add(to, value, GD_RECORD_TEXT_MAX);
    memcpy((char *)to->record + at, &header, sizeof(header));
    to->record->header_count++;
}

bool gd_record_trail(void *recorder, const struct gd_trail *trail)
{
    struct gd_recorder *to = recorder;
    struct gd_record_call call = {
        .start_us = trail->start_us,
        .asked_us = trail->asked_us,
        .dial_us = trail->dial_us,
        .leased_us = trail->leased_us,
        .heard_us = trail->heard_us,
        .end_us = trail->end_us,
        .item = trail->item,
        .tries = trail->tries,
        .status = (uint16_t)trail->status,
        .failure = (uint8_t)trail->failure,
        .stale = trail->stale,
        .hedged = trail->hedged,
        .optional = trail->optional,
    };
    size_t at = to->len;

    if (at + sizeof(call) + 2 * GD_RECORD_TEXT_MAX > GD_RECORD_MAX) {
        if (to->record->calls_left_out < UINT16_MAX)
            to->record->calls_left_out++;
        return true;
    }
    to->len += sizeof(call);
    call.name_length = add(to, trail->name, GD_RECORD_TEXT_MAX);
    call.server_length = add(to, trail->server, GD_RECORD_TEXT_MAX);
    memcpy((char *)to->record + at, &call, sizeof(call));
    to->record->call_count++;
    return true;
}

void gd_record_end(struct gd_recorder *to)
{
    assert(to->len <= GD_RECORD_MAX);
    to->record->bytes = (uint32_t)to->len;
}

struct gd_span gd_record_text(const struct gd_record *record, enum gd_record_text which)
{
    const char *at = (const char *)(record + 1);

    for (unsigned i = 0; i < which; i++)
        at += record->lengths[i];
    return (struct gd_span){at, record->lengths[which]};
}

struct gd_span gd_record_peer(const struct gd_record *record)
{
    return gd_record_text(record, record->lengths[GD_RECORD_PEER] ? GD_RECORD_PEER
                                                                  : GD_RECORD_IP);
}

struct gd_record_reader gd_record_read(const struct gd_record *record,
                                       struct gd_span *texts)
{
    struct gd_record_reader reader = {record, sizeof(*record)};

    for (unsigned i = 0; i < GD_RECORD_TEXTS; i++) {
        if (texts)
            texts[i] =
                (struct gd_span){(const char *)record + reader.at, record->lengths[i]};
        reader.at += record->lengths[i];
    }
    return reader;
}

static struct gd_span take(struct gd_record_reader *reader, size_t len)
{
    struct gd_span text = {(const char *)reader->record + reader->at, len};

    reader->at += len;
    return text;
}

void gd_record_next_header(struct gd_record_reader *reader, struct gd_span *name,
                           struct gd_span *value)
{
    struct header header;

    memcpy(&header, take(reader, sizeof(header)).ptr, sizeof(header));
    *name = take(reader, header.name_length);
    *value = take(reader, header.value_length);
}

void gd_record_next_call(struct gd_record_reader *reader, struct gd_record_call *call,
                         struct gd_span *name, struct gd_span *server)
{
    memcpy(call, take(reader, sizeof(*call)).ptr, sizeof(*call));
    *name = take(reader, call->name_length);
    *server = take(reader, call->server_length);
}
