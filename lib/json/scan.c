#include "json/scan.h"

#include "json/walk.h"

static inline bool is_white(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline struct gd_span trimmed(struct gd_span bytes)
{
    while (bytes.len && is_white(bytes.ptr[bytes.len - 1]))
        bytes.len--;
    while (bytes.len && is_white(*bytes.ptr)) {
        bytes.ptr++;
        bytes.len--;
    }
    return bytes;
}

static inline bool is_guarded(struct gd_span text)
{
    return text.len > 1 && (*text.ptr | 0x20) == '{' &&
           (text.ptr[text.len - 1] | 0x20) == '}';
}

struct gd_span gd_json_guarded(struct gd_span bytes)
{
    struct gd_span text = trimmed(bytes);

    return is_guarded(text) ? text : GD_SPAN_NONE;
}

/* Scalars, and what a guarded walk refused: white space at the end may then have been
 * part of a string, so all bytes count. */
bool gd_json_scan_exact(struct gd_span bytes, unsigned max_depth, struct gd_span *value,
                        struct gd_json_fault *fault)
{
    struct gd_json_walk w;

    gd_json_walk_init(&w, (const uint8_t *)(bytes.len ? bytes.ptr : ""), bytes.len,
                      max_depth);
    if (gd_json_walk_exact(&w, value))
        return true;
    if (fault)
        *fault = w.fault;
    return false;
}

typedef const uint8_t *guarded_walk(struct gd_json_walk *w);

static inline __attribute__((always_inline)) bool
scan_with(guarded_walk *walk, struct gd_span bytes, unsigned max_depth,
          struct gd_span *value, struct gd_json_fault *fault)
{
    struct gd_span text = trimmed(bytes);

    if (is_guarded(text)) {
        struct gd_json_walk w;

        gd_json_walk_init(&w, (const uint8_t *)text.ptr, text.len, max_depth);
        if (walk(&w) == w.end) {
            *value = text;
            return true;
        }
    }
    return gd_json_scan_exact(bytes, max_depth, value, fault);
}

bool gd_json_scan(struct gd_span bytes, unsigned max_depth, struct gd_span *value,
                  struct gd_json_fault *fault)
{
#if GD_JSON_VECTOR
    return scan_with(gd_json_walk_vector, bytes, max_depth, value, fault);
#else
    return scan_with(gd_json_walk_portable, bytes, max_depth, value, fault);
#endif
}

bool gd_json_scan_portable(struct gd_span bytes, unsigned max_depth,
                           struct gd_span *value, struct gd_json_fault *fault)
{
    return scan_with(gd_json_walk_portable, bytes, max_depth, value, fault);
}
