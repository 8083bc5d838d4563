#include "json/splice.h"

#include "json/text.h"

enum {
    /* Below this a copy costs less than one more piece costs the kernel and us. */
    SHORT_BYTES = 64,
    PIECES_FIRST = 16,
    ROOM_FIRST = 512,
    ROOM_MOST = 65536,
    /* A string is escaped by so many bytes of text at a time. */
    SLICE_BYTES = 1024,
    ESCAPED_MOST = 6, /* bytes that one byte of text becomes */
};

void gd_splice_init(struct gd_splice *splice, struct gd_arena *arena)
{
    *splice = (struct gd_splice){.arena = arena};
}

/* The old vector stays in the arena; the sizes double, so that is no more than the new
 * one. */
static bool grow_pieces(struct gd_splice *splice)
{
    unsigned cap = splice->cap ? splice->cap * 2 : PIECES_FIRST;
    struct iovec *pieces =
        gd_arena_raw(splice->arena, (size_t)cap * sizeof(*splice->pieces));

    if (pieces == NULL)
        return false;
    if (splice->count)
        memcpy(pieces, splice->pieces, splice->count * sizeof(*pieces));
    splice->pieces = pieces;
    splice->cap = cap;
    return true;
}

/* Whether ptr is right behind the last piece. */
static inline bool touches(const struct gd_splice *splice, const char *ptr)
{
    const struct iovec *last;

    if (splice->count == 0)
        return false;
    last = &splice->pieces[splice->count - 1];
    return (const char *)last->iov_base + last->iov_len == ptr;
}

/* Appends bytes where they are. */
static inline bool add_piece(struct gd_splice *splice, const char *ptr, size_t len)
{
    if (len > splice->arena->max - splice->bytes)
        return false;
    if (touches(splice, ptr)) {
        splice->pieces[splice->count - 1].iov_len += len;
    } else {
        if (splice->count == splice->cap && !grow_pieces(splice))
            return false;
        splice->pieces[splice->count++] = (struct iovec){(void *)ptr, len};
    }
    splice->bytes += len;
    return true;
}

/* Makes room for len bytes in a row. Chunks grow with what is copied, so that a small
 * answer takes little of the arena. */
static bool grow_room(struct gd_splice *splice, size_t len)
{
    size_t size = splice->bytes < ROOM_MOST ? splice->bytes : ROOM_MOST;
    char *room;

    if (size < ROOM_FIRST)
        size = ROOM_FIRST;
    if (size < len)
        size = len;
    room = gd_arena_raw(splice->arena, size);
    if (room == NULL && size > len) {
        size = len;
        room = gd_arena_raw(splice->arena, size);
    }
    if (room == NULL)
        return false;
    splice->room = room;
    splice->room_end = room + size;
    return true;
}

static inline bool has_room(struct gd_splice *splice, size_t len)
{
    return (size_t)(splice->room_end - splice->room) >= len || grow_room(splice, len);
}

/* Most copies are of a few bytes, so a call would cost more than the copy. */
static inline void copy_bytes(char *to, const char *from, size_t len)
{
    if (len > 16) {
        memcpy(to, from, len);
    } else if (len >= 8) {
        memcpy(to, from, 8);
        memcpy(to + len - 8, from + len - 8, 8);
    } else {
        for (size_t i = 0; i < len; i++)
            to[i] = from[i];
    }
}

bool gd_splice_copy(struct gd_splice *splice, struct gd_span bytes)
{
    if (bytes.len == 0)
        return true;
    if (!has_room(splice, bytes.len))
        return false;
    copy_bytes(splice->room, bytes.ptr, bytes.len);
    splice->room += bytes.len;
    return add_piece(splice, splice->room - bytes.len, bytes.len);
}

/* The common way: a copy right behind the one before, in room that is there. */
static inline bool copied_behind(struct gd_splice *splice, struct gd_span bytes)
{
    if ((size_t)(splice->room_end - splice->room) < SHORT_BYTES ||
        !touches(splice, splice->room))
        return false;
    copy_bytes(splice->room, bytes.ptr, bytes.len);
    splice->room += bytes.len;
    splice->pieces[splice->count - 1].iov_len += bytes.len;
    splice->bytes += bytes.len;
    return true;
}

bool gd_splice_add(struct gd_splice *splice, struct gd_span bytes)
{
    if (bytes.len < SHORT_BYTES && copied_behind(splice, bytes))
        return true;
    if (bytes.len >= SHORT_BYTES || touches(splice, bytes.ptr))
        return bytes.len == 0 || add_piece(splice, bytes.ptr, bytes.len);
    return gd_splice_copy(splice, bytes);
}

/* The length of the next slice of text: none ends inside a character. */
static size_t slice_length(struct gd_span text)
{
    size_t len = SLICE_BYTES;

    if (text.len <= SLICE_BYTES)
        return text.len;
    while (len > SLICE_BYTES - 3 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
        len--;
    return len;
}

static bool add_slice(struct gd_splice *splice, struct gd_span slice)
{
    size_t most = slice.len * ESCAPED_MOST;
    struct gd_buf buf;

    if (!has_room(splice, most))
        return false;
    /* The room is the buffer's: as cap and max are the same it never moves. */
    buf = (struct gd_buf){.data = splice->room, .cap = most, .max = most};
    if (!gd_json_add_escaped(&buf, slice))
        return false;
    splice->room += buf.len;
    return buf.len == 0 || add_piece(splice, buf.data, buf.len);
}

bool gd_splice_string(struct gd_splice *splice, struct gd_span text)
{
    if (!gd_splice_copy(splice, GD_SPAN("\"")))
        return false;
    while (text.len) {
        struct gd_span slice = {text.ptr, slice_length(text)};

        if (!add_slice(splice, slice))
            return false;
        text.ptr += slice.len;
        text.len -= slice.len;
    }
    return gd_splice_copy(splice, GD_SPAN("\""));
}

struct gd_span gd_splice_flat(struct gd_splice *splice)
{
    char *flat, *to;

    if (splice->count == 0)
        return GD_SPAN("");
    if (splice->count == 1)
        return (struct gd_span){splice->pieces->iov_base, splice->bytes};
    flat = to = gd_arena_raw(splice->arena, splice->bytes);
    if (flat == NULL)
        return GD_SPAN_NONE;
    for (unsigned i = 0; i < splice->count; i++) {
        memcpy(to, splice->pieces[i].iov_base, splice->pieces[i].iov_len);
        to += splice->pieces[i].iov_len;
    }
    return (struct gd_span){flat, splice->bytes};
}
