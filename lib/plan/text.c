#include "plan/text.h"

#include "json/utf8.h"

size_t gd_text_utf8(struct gd_span text)
{
    const uint8_t *start = (const uint8_t *)text.ptr, *end = start + text.len;
    const uint8_t *at = start;

    while (at < end) {
        uint64_t eight = UINT64_MAX;

        if ((size_t)(end - at) >= sizeof(eight))
            memcpy(&eight, at, sizeof(eight));
        if ((eight & 0x8080808080808080u) == 0) {
            at += sizeof(eight);
        } else if (*at < 0x80) {
            at++;
        } else {
            struct gd_json_utf8 got = gd_json_utf8(at, end);

            if (!got.valid)
                break;
            at = got.next;
        }
    }
    return (size_t)(at - start);
}

size_t gd_text_chars(struct gd_span text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return count;
}

struct gd_place gd_text_place(unsigned file, struct gd_span text, size_t offset)
{
    struct gd_place place = {file, 1, 1};

    for (size_t i = 0; i < offset && i < text.len; i++) {
        if (text.ptr[i] == '\n') {
            place.line++;
            place.col = 1;
        } else {
            place.col += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
        }
    }
    return place;
}

size_t gd_text_offset(struct gd_span text, size_t chars)
{
    size_t at = 0;

    while (at < text.len && chars) {
        at++;
        while (at < text.len && ((unsigned char)text.ptr[at] & 0xc0) == 0x80)
            at++;
        chars--;
    }
    return at;
}
