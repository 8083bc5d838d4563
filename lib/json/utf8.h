#ifndef GD_JSON_UTF8_H
#define GD_JSON_UTF8_H
/**
 * One character of UTF-8 by RFC 3629.
 */
#include <stdbool.h>
#include <stdint.h>

struct gd_json_utf8 {
    const uint8_t *next; /* behind the character, or the first byte that breaks it */
    bool valid;
};

/** Reads the character whose lead byte (0x80 or more) is at p. The bytes are read left to
 *  right and never at end, nor behind the first byte that is no continuation byte. */
static inline struct gd_json_utf8 gd_json_utf8(const uint8_t *p, const uint8_t *end)
{
    uint8_t lead = *p++;
    uint8_t low = 0x80, high = 0xbf; /* what the second byte may be */
    int more;

    if (lead < 0xc2 || lead > 0xf4)
        return (struct gd_json_utf8){p - 1, false};
    if (lead < 0xe0) {
        more = 1;
    } else if (lead < 0xf0) {
        more = 2;
        low = lead == 0xe0 ? 0xa0 : low;
        high = lead == 0xed ? 0x9f : high;
    } else {
        more = 3;
        low = lead == 0xf0 ? 0x90 : low;
        high = lead == 0xf4 ? 0x8f : high;
    }
    if (p == end || *p < low || *p > high)
        return (struct gd_json_utf8){p, false};
    while (p++, --more)
        if (p == end || (*p & 0xc0) != 0x80)
            return (struct gd_json_utf8){p, false};
    return (struct gd_json_utf8){p, true};
}

#endif
