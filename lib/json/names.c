#include "json/names.h"

#include "json/text.h"

struct gd_span gd_names_decoded(struct gd_arena *arena, const struct gd_tape *tape,
                                gd_node node)
{
    struct gd_span inner = gd_tape_inner(tape, node);
    struct gd_buf buf = {.cap = inner.len, .max = inner.len};

    if (!gd_tape_is_escaped(tape, node))
        return inner;
    /* Decoded it is never longer, so the buffer stays in the arena's memory. */
    buf.data = gd_arena_raw(arena, inner.len);
    if (buf.data == NULL || !gd_tape_decode(tape, node, &buf))
        return GD_SPAN_NONE;
    return gd_buf_span(&buf);
}

struct gd_span gd_names_quoted(struct gd_arena *arena, struct gd_span text)
{
    struct gd_span quoted = GD_SPAN_NONE;
    struct gd_buf buf;

    gd_buf_init(&buf, NULL, text.len * 6 + 2);
    if (gd_json_add_string(&buf, text))
        quoted = gd_arena_copy(arena, gd_buf_span(&buf));
    gd_buf_free(&buf);
    return quoted;
}

bool gd_names_init(struct gd_names *names, struct gd_arena *arena, uint32_t most)
{
    size_t slots = 8;

    while (slots < (size_t)most * 2)
        slots *= 2;
    *names = (struct gd_names){
        .key = gd_hash_key_of_process(),
        .names = gd_arena_raw(arena, ((size_t)most + 1) * sizeof(*names->names)),
        .slots = gd_arena_alloc(arena, slots * sizeof(*names->slots)),
        .mask = (uint32_t)(slots - 1),
    };
    return names->names && names->slots;
}

/* The slot of a name, or the free one where it belongs. */
static uint32_t slot_of(const struct gd_names *names, struct gd_span text, uint32_t hash)
{
    uint32_t at = hash & names->mask;

    for (; names->slots[at]; at = (at + 1) & names->mask) {
        const struct gd_name *name = &names->names[names->slots[at] - 1];

        if (name->hash == hash && gd_span_eq(name->text, text))
            break;
    }
    return at;
}

uint32_t gd_names_put(struct gd_names *names, struct gd_span text)
{
    uint32_t hash = (uint32_t)gd_hash(names->key, text);
    uint32_t slot = slot_of(names, text, hash);

    if (names->slots[slot] == 0) {
        names->names[names->count] = (struct gd_name){text, hash};
        names->slots[slot] = ++names->count;
    }
    return names->slots[slot] - 1;
}

uint32_t gd_names_find(const struct gd_names *names, struct gd_span text)
{
    uint32_t hash = (uint32_t)gd_hash(names->key, text);

    return names->slots[slot_of(names, text, hash)] - 1;
}
