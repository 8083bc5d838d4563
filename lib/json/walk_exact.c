#define BLOCK(kind) swar_##kind
#define EXACT 1
#include "json/grammar.h"

bool gd_json_walk_exact(struct gd_json_walk *w, struct gd_span *value)
{
    const uint8_t *first = white(w, w->start);
    uint8_t c = peek(w, first);
    const uint8_t *p = c == '{' || c == '[' ? container(w, first) : scalar(w, first);
    const uint8_t *rest;

    if (p == NULL)
        return false;
    rest = white(w, p);
    if (rest != w->end) {
        fault_at(w, rest, "unexpected byte after the value");
        return false;
    }
    *value = (struct gd_span){(const char *)first, (size_t)(p - first)};
    return true;
}
