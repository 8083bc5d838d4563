#ifndef GD_JSON_ODD_H
#define GD_JSON_ODD_H
/**
 * From one odd byte to the next: for json/strings.h, with ODD the function that tells
 * them. Private to lib/json.
 */
#include "json/reading.h"

/* What is odd from p on, near the end: what the last bytes of the text tell. */
static OUT_OF_LINE uint64_t look_end(const struct gd_json_walk *w, const uint8_t *p)
{
    size_t left = (size_t)(w->end - p);
    uint8_t rest[GD_JSON_WIDE];

    if (left == 0)
        return 0;
    if (w->end - w->start >= GD_JSON_WIDE)
        return ODD(w->end - GD_JSON_WIDE) >> (GD_JSON_WIDE - left);
    memset(rest, ' ', sizeof(rest));
    memcpy(rest, p, left);
    return ODD(rest);
}

static inline uint64_t look(const struct gd_json_walk *w, const uint8_t *p)
{
    return p < w->wide ? ODD(p) : look_end(w, p);
}

/* From the opening quote to the closing one, or to what is odd before that. With neither
 * within reach odd is 0, and p anywhere in the string. */
static inline struct place to_odd(const struct gd_json_walk *w, struct place at)
{
    at.odd &= at.odd - 1;
    if (UNUSUALLY(at.odd == 0)) {
        at.base = at.p + 1;
        at.odd = look(w, at.base);
        if (at.odd == 0)
            return place_of((struct spot){at.base, 0});
    }
    at.p = at.base + lowest(at.odd);
    return at;
}

/* The place n bytes behind a p that is odd; nothing else in between is. */
static inline struct place past(struct place at, size_t n)
{
    return (struct place){at.p + n, at.base, at.odd & (at.odd - 1)};
}

/* Whether the two bytes of text are at p, which is no plain byte: so not the last one. */
static inline bool is_pair(const struct gd_json_walk *w, const uint8_t *p,
                           const char *text)
{
    return (!EXACT || w->end - p > 1) && memcmp(p, text, 2) == 0;
}

#endif
