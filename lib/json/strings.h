#ifndef GD_JSON_STRINGS_H
#define GD_JSON_STRINGS_H
/**
 * Strings and the names of members, for json/grammar.h. Private to lib/json.
 */
#include "json/odd.h"
#include "json/pen.h"
#include "json/utf8.h"

static const uint8_t *escape(struct gd_json_walk *w, const uint8_t *p)
{
    w->escaped = true;
    switch (peek(w, p + 1)) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return p + 2;
    case 'u':
        for (int i = 2; i < 6; i++)
            if (!is_hex(peek(w, p + i)))
                return fault_at(w, p + i, "invalid escape in a string");
        return p + 6;
    default:
        return fault_at(w, p + 1, "invalid escape in a string");
    }
}

static inline const uint8_t *characters(struct gd_json_walk *w, const uint8_t *p)
{
    do {
        struct gd_json_utf8 got = gd_json_utf8(p, w->end);

        if (!got.valid)
            return fault_at(w, got.next, "invalid UTF-8");
        p = got.next;
    } while (p < w->end && *p >= 0x80);
    return p;
}

/* Goes past the closing quote, from anywhere in the string. */
static OUT_OF_LINE struct spot string_rest(struct gd_json_walk *w, struct spot at)
{
    for (;;) {
        const uint8_t *p;

        if (at.odd == 0)
            at.odd = look(w, at.p);
        if (at.odd == 0) {
            if (w->end - at.p <= GD_JSON_WIDE)
                return fault_spot(w, w->end, NULL);
            at.p += GD_JSON_WIDE;
            continue;
        }
        at.p += lowest(at.odd);
        at.odd >>= lowest(at.odd);
        if (*at.p == '"')
            return (struct spot){at.p + 1, at.odd >> 1};
        if (*at.p == '\\')
            p = escape(w, at.p);
        else if (*at.p >= 0x80)
            p = characters(w, at.p);
        else
            p = fault_at(w, at.p, "control character in a string");
        if (p == NULL)
            return (struct spot){NULL, 0};
        at.odd = shifted(at.odd, (size_t)(p - at.p));
        at.p = p;
    }
}

/* Goes past the closing quote, from what to_odd found. */
static inline struct place string_end(struct gd_json_walk *w, struct place at)
{
    return at.odd && *at.p == '"' ? past(at, 1) : place_of(string_rest(w, spot_of(at)));
}

static OUT_OF_LINE struct spot colon(struct gd_json_walk *w, struct spot at)
{
    struct place behind = white(w, place_of(at));

    if (peek(w, behind.p) != ':')
        return fault_spot(w, behind.p, "expected ':' after a name");
    behind.p++;
    return spot_of(behind);
}

/* Goes past a member's name and the colon, from the opening quote or white space. */
static inline struct place name(struct gd_json_walk *w, struct pen *pen, struct place at)
{
    const uint8_t *from;

    if (UNUSUALLY(peek(w, at.p) != '"')) {
        at = white(w, at);
        if (peek(w, at.p) != '"')
            return place_of(fault_spot(w, at.p, "expected a name in quotes"));
    }
    from = at.p;
    at = to_odd(w, at);
    if (USUALLY(at.odd && is_pair(w, at.p, "\":"))) {
        put_word(w, pen, GD_JSON_STRING, from, at.p + 1);
        return past(at, 2);
    }
    at = place_of(string_rest(w, spot_of(at)));
    if (at.p == NULL)
        return at;
    put_word(w, pen, string_kind(w), from, at.p);
    return place_of(colon(w, spot_of(at)));
}

#endif
