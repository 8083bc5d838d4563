#ifndef GD_HTTP_FIELDS_H
#define GD_HTTP_FIELDS_H
/**
 * How known fields are found: their length and first letter tell them apart, so one slot
 * and one comparison decide. Private to lib/http; gd_field_id_of is the way in.
 */
#include "http/chars.h"
#include "http/token.h"

#define GD_FIELD_SLOT(len, letter) (((len)*2 + (letter)*13) & 63)

extern const struct gd_span gd_field_names[GD_FIELD_IDS]; /* in lower case */
extern const uint8_t gd_field_slots[64];

/** As gd_field_id_of, of a name that is not empty. */
static inline enum gd_field_id gd_field_guess(struct gd_span name)
{
    unsigned first = (unsigned char)name.ptr[0] | 0x20U;
    unsigned guess = gd_field_slots[GD_FIELD_SLOT((unsigned)name.len, first)];

    return gd_same_name(name, gd_field_names[guess]) ? (enum gd_field_id)guess
                                                     : GD_FIELD_OTHER;
}

#endif
