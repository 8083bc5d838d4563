#ifndef GD_HTTP_CHARS_H
#define GD_HTTP_CHARS_H
/**
 * Character classes and the scan for control characters; private to lib/http.
 *
 * Classes never consult the locale: peers' bytes are ASCII or opaque.
 */
#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bits of gd_chars[]; bytes above 127 are in no class. */
enum {
    GD_CHAR_TOKEN = 1,  /* tchar, RFC 9110 5.6.2 */
    GD_CHAR_HOST = 2,   /* reg-name, RFC 3986 3.2.2, without escapes */
    GD_CHAR_PATH = 4,   /* pchar and "/", without escapes */
    GD_CHAR_PLAIN = 8,  /* of PATH, those that canonical form never touches: no "." */
    GD_CHAR_QUERY = 16, /* PATH and "?" */
    GD_CHAR_HEX = 32,
    GD_CHAR_UNRESERVED = 64, /* RFC 3986 2.3 */
    GD_CHAR_DIGIT = 128,
};
extern const uint8_t gd_chars[256];

static inline bool gd_char_is(char c, unsigned classes)
{
    return (gd_chars[(unsigned char)c] & classes) != 0;
}

/** Value of a hex digit; the caller has checked GD_CHAR_HEX. */
static inline unsigned gd_hex_value(char c)
{
    unsigned u = (unsigned char)c;

    return u <= '9' ? u - '0' : (u | 0x20) - 'a' + 10;
}

static inline char gd_ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

#define GD_EIGHT(byte) (0x0101010101010101U * (byte))

/** Marks (0x80) the bytes of word that are control characters; the lowest mark is exact,
 *  higher ones may be false. `also`: GD_EIGHT(0x80) to mark bytes above 127 as well, or
 * 0.
 */
static inline uint64_t gd_mark_controls(uint64_t word, uint64_t also)
{
    uint64_t del = word ^ GD_EIGHT(0x7f);
    uint64_t marks = (word - GD_EIGHT(0x20)) & ~word;

    marks |= (del - GD_EIGHT(0x01)) & ~del;
    return (marks & GD_EIGHT(0x80)) | (word & also);
}

/** Returns the first byte of [at, end) that is a control character (or, when ascii_only,
 *  above 127), else end. */
static inline const char *gd_find_control(const char *at, const char *end,
                                          bool ascii_only)
{
    const uint64_t also = ascii_only ? GD_EIGHT(0x80) : 0;
    uint64_t word, marks;

    for (; end - at >= 8; at += 8) {
        memcpy(&word, at, 8);
        marks = gd_mark_controls(le64toh(word), also);
        if (marks)
            return at + (__builtin_ctzll(marks) >> 3);
    }
    for (; at < end; at++) {
        unsigned char c = (unsigned char)*at;

        if (c < 0x20 || c == 0x7f || (ascii_only && c >= 0x80))
            return at;
    }
    return end;
}

#endif
