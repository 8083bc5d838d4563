#define ODD swar_odd
#define EXACT 1
#define TAPE 0
#include "json/grammar.h"

bool gd_json_walk_exact(struct gd_json_walk *w, struct gd_span *value)
{
    const uint8_t *first = white_run(w, w->start);
    const uint8_t *p, *rest;

    switch (peek(w, first)) {
    case '{':
    case '[':
        p = container(w, first);
        break;
    case '"':
        p = string_rest(w, (struct spot){first + 1, 0}).p;
        break;
    default:
        p = scalar(w, first);
    }
    if (p == NULL)
        return false;
    rest = white_run(w, p);
    if (rest != w->end) {
        fault_at(w, rest, "unexpected byte after the value");
        return false;
    }
    *value = (struct gd_span){(const char *)first, (size_t)(p - first)};
    return true;
}
