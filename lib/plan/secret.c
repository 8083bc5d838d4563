#include "plan/secret.h"

/* What a name has in it, without regard to case, and with `-` and `_` left out. */
static const char *const words[] = {
    "authorization", "cookie",    "token",   "secret", "password", "passwd",
    "credential",    "signature", "session", "apikey", "jwt",
};
enum { WORDS = sizeof(words) / sizeof(words[0]), NAME_ROOM = 256 };

bool gd_secret_name(struct gd_span name)
{
    char bare[NAME_ROOM];
    size_t len = 0;

    for (size_t i = 0; i < name.len && len < sizeof(bare); i++) {
        char c = name.ptr[i];

        if (c != '-' && c != '_')
            bare[len++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    for (size_t i = 0; i < WORDS; i++)
        if (memmem(bare, len, words[i], strlen(words[i])))
            return true;
    return len >= 4 && memcmp(bare + len - 4, "auth", 4) == 0;
}

/* Appends `name=value`. */
static bool add_pair(struct gd_buf *out, struct gd_span pair)
{
    const char *equals = pair.len ? memchr(pair.ptr, '=', pair.len) : NULL;
    size_t name = equals ? (size_t)(equals - pair.ptr) : pair.len;
    bool open = name + 1 < pair.len && pair.ptr[name + 1] == '{';

    if (equals == NULL || open || !gd_secret_name((struct gd_span){pair.ptr, name}))
        return gd_buf_add_span(out, pair);
    return gd_buf_add(out, pair.ptr, name + 1) && gd_buf_add_text(out, GD_SECRET_MASK);
}

bool gd_secret_add_target(struct gd_buf *out, struct gd_span target)
{
    const char *mark = target.len ? memchr(target.ptr, '?', target.len) : NULL;
    size_t at = mark ? (size_t)(mark - target.ptr) + 1 : target.len;

    if (!gd_buf_add(out, target.ptr, at))
        return false;
    while (at < target.len) {
        const char *end = memchr(target.ptr + at, '&', target.len - at);
        size_t len = end ? (size_t)(end - target.ptr) - at : target.len - at;

        if (!add_pair(out, (struct gd_span){target.ptr + at, len}) ||
            !gd_buf_add(out, "&", end != NULL))
            return false;
        at += len + (end != NULL);
    }
    return true;
}
