#include "plan/text.h"

/* Bytes of the character that starts here; 0: not valid UTF-8. */
static size_t utf8_char(const unsigned char *at, size_t room)
{
    size_t len = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;

    if (at[0] >= 0x80 && (at[0] < 0xc2 || at[0] > 0xf4))
        return 0;
    if (len > room)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return len;
}

size_t gd_text_utf8(struct gd_span text)
{
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    size_t at = 0;

    while (at < text.len) {
        uint64_t word = 0;

        /* Eight characters of ASCII at once. */
        if (text.len - at >= sizeof(word))
            memcpy(&word, bytes + at, sizeof(word));
        else
            word = UINT64_MAX;
        if ((word & 0x8080808080808080u) == 0) {
            at += sizeof(word);
            continue;
        }
        size_t len = bytes[at] < 0x80 ? 1 : utf8_char(bytes + at, text.len - at);

        if (len == 0)
            break;
        at += len;
    }
    return at;
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
