#include "http/forwarded.h"

#include "http/chars.h"

enum { REQUEST_ID_MAX = 128, MEMBERS_MAX = 32, KEY_MAX = 256, VALUE_MAX = 256 };

bool gd_is_forwarding_field(struct gd_span name)
{
    struct gd_span prefix = GD_SPAN("X-Forwarded-");

    switch (name.len ? name.ptr[0] | 0x20 : 0) {
    case 'f':
        return gd_span_ieq(name, GD_SPAN("Forwarded"));
    case 't':
        return gd_span_ieq(name, GD_SPAN("traceparent")) ||
               gd_span_ieq(name, GD_SPAN("tracestate"));
    case 'x':
        return gd_span_ieq(name, GD_SPAN("X-Request-Id")) ||
               (name.len > prefix.len &&
                gd_span_ieq((struct gd_span){name.ptr, prefix.len}, prefix));
    default:
        return false;
    }
}

static bool is_alnum(char c)
{
    return gd_char_is(c, GD_CHAR_DIGIT) || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

/* Whether text has at least one byte, and only letters, digits and those of `also`. */
static bool is_made_of(struct gd_span text, const char *also)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_alnum(text.ptr[i]) &&
            (text.ptr[i] == '\0' || strchr(also, text.ptr[i]) == NULL))
            return false;
    return text.len > 0;
}

bool gd_is_request_id(struct gd_span text)
{
    return text.len <= REQUEST_ID_MAX && is_made_of(text, "._-");
}

/* The chain ---------------------------------------------------------------------------
 */

void gd_chain_begin(struct gd_chain *chain, const struct gd_fields *fields,
                    enum gd_chain_field field)
{
    *chain = (struct gd_chain){.fields = fields, .field = field, .left = fields->count};
}

/* Goes on with the line before; false when there is none. */
static bool line_before(struct gd_chain *chain)
{
    struct gd_span name = chain->field == GD_CHAIN_FORWARDED ? GD_SPAN("Forwarded")
                                                             : GD_SPAN("X-Forwarded-For");

    while (chain->left > 0) {
        const struct gd_field *field = &chain->fields->items[--chain->left];

        if (gd_span_ieq(field->name, name)) {
            chain->rest = field->value;
            return true;
        }
    }
    return false;
}

/* Takes the last element of the line, without the white space around it. */
static struct gd_span cut_last(struct gd_span *line)
{
    size_t n = line->len;
    struct gd_span last;

    while (n > 0 && line->ptr[n - 1] != ',')
        n--;
    last = (struct gd_span){line->ptr + n, line->len - n};
    line->len = n > 0 ? n - 1 : 0;
    return gd_span_trim(last, " \t");
}

/* `"value"` or `value`, of characters that need no escape; no other quotes. */
static bool parse_value(struct gd_span text, struct gd_span *out)
{
    bool quoted = text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"';

    *out = quoted ? (struct gd_span){text.ptr + 1, text.len - 2} : text;
    return out->len <= GD_CHAIN_HOP_MAX_BYTES && is_made_of(*out, ".:[]_-");
}

/* One `name=value` off the front of an element; false when that is malformed. */
static bool take_pair(struct gd_span *element, struct gd_span *name,
                      struct gd_span *value)
{
    const char *end = memchr(element->ptr, ';', element->len), *equals;
    size_t n = end ? (size_t)(end - element->ptr) : element->len;
    struct gd_span pair = gd_span_trim((struct gd_span){element->ptr, n}, " \t");

    n += end != NULL;
    *element = (struct gd_span){element->ptr + n, element->len - n};
    equals = pair.len ? memchr(pair.ptr, '=', pair.len) : NULL;
    if (equals == NULL)
        return false;
    *name = (struct gd_span){pair.ptr, (size_t)(equals - pair.ptr)};
    pair = (struct gd_span){equals + 1, pair.len - name->len - 1};
    return parse_value(pair, value);
}

/* The value of a parameter that stands once in a well-formed element. */
static bool find_parameter(struct gd_span element, struct gd_span wanted,
                           struct gd_span *out)
{
    struct gd_span name, value;
    unsigned found = 0;

    while (element.len > 0) {
        if (!take_pair(&element, &name, &value))
            return false;
        if (gd_span_ieq(name, wanted)) {
            *out = value;
            found++;
        }
    }
    return found == 1;
}

struct gd_span gd_forwarded_last(const struct gd_fields *fields, struct gd_span name)
{
    struct gd_span element, value;
    struct gd_chain chain;

    gd_chain_begin(&chain, fields, GD_CHAIN_FORWARDED);
    if (!line_before(&chain))
        return GD_SPAN_NONE;
    element = cut_last(&chain.rest);
    return find_parameter(element, name, &value) ? value : GD_SPAN_NONE;
}

static bool is_hop(const struct gd_chain *chain, struct gd_span *hop)
{
    if (chain->field == GD_CHAIN_FORWARDED)
        return find_parameter(*hop, GD_SPAN("for"), hop);
    return hop->len <= GD_CHAIN_HOP_MAX_BYTES && is_made_of(*hop, ".:[]_-");
}

bool gd_chain_step(struct gd_chain *chain, struct gd_span *hop)
{
    do { /* empty elements are none (RFC 9110 5.6.1.2) */
        while (chain->rest.len == 0)
            if (!line_before(chain))
                return false;
        *hop = cut_last(&chain->rest);
    } while (hop->len == 0);
    if (chain->hops++ < GD_CHAIN_HOPS_MAX && is_hop(chain, hop))
        return true;
    chain->rest.len = 0;
    chain->left = 0;
    return false;
}

/* Trace Context -----------------------------------------------------------------------
 */

/* Whether text is hex digits in lower case. */
static bool is_hex(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!gd_char_is(text[i], GD_CHAR_HEX) || (text[i] >= 'A' && text[i] <= 'F'))
            return false;
    return true;
}

/* Ids of zeros only are none. */
static bool is_hex_id(const char *text, size_t len)
{
    size_t zeros = 0;

    while (zeros < len && text[zeros] == '0')
        zeros++;
    return zeros < len && is_hex(text, len);
}

/* `00-TRACE-PARENT-FLAGS` with 32, 16 and 2 digits. */
bool gd_traceparent_read(struct gd_span value, struct gd_trace *out)
{
    enum { LEN = 55, TRACE = 3, PARENT = 36, FLAGS = 53 };
    const char *text = value.ptr;
    bool first;

    if (value.len < LEN || !is_hex(text, 2) || gd_span_starts(value, GD_SPAN("ff")))
        return false;
    first = gd_span_starts(value, GD_SPAN("00"));
    if (value.len > LEN && (first || text[LEN] != '-'))
        return false;
    if (text[TRACE - 1] != '-' || text[PARENT - 1] != '-' || text[FLAGS - 1] != '-' ||
        !is_hex_id(text + TRACE, 32) || !is_hex_id(text + PARENT, 16) ||
        !is_hex(text + FLAGS, 2))
        return false;
    memcpy(out->id, text + TRACE, sizeof(out->id));
    out->sampled = (gd_hex_value(text[FLAGS + 1]) & 1) != 0;
    return true;
}

/* Letters are lower case; a tenant may stand in front of an @. */
static bool is_state_key(struct gd_span key)
{
    const char *at = key.len ? memchr(key.ptr, '@', key.len) : NULL;

    if (key.len == 0 || key.len > KEY_MAX || !is_alnum(key.ptr[0]))
        return false;
    if (at && (at + 1 == key.ptr + key.len || !is_alnum(at[1]) ||
               memchr(at + 1, '@', (size_t)(key.ptr + key.len - at - 1))))
        return false;
    for (size_t i = 0; i < key.len; i++)
        if (key.ptr[i] >= 'A' && key.ptr[i] <= 'Z')
            return false;
    return is_made_of(key, "_-*/@");
}

/* `key=value`, the value of visible ASCII and spaces without `,` and `=`. */
static bool is_state_member(struct gd_span member)
{
    const char *sign = memchr(member.ptr, '=', member.len);
    struct gd_span value;

    if (sign == NULL ||
        !is_state_key((struct gd_span){member.ptr, (size_t)(sign - member.ptr)}))
        return false;
    value = (struct gd_span){sign + 1, (size_t)(member.ptr + member.len - sign - 1)};
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] < ' ' || value.ptr[i] > '~' || value.ptr[i] == '=')
            return false;
    return value.len > 0 && value.len <= VALUE_MAX;
}

/* Appends the members of one line; *count is of all lines. */
static bool write_members(struct gd_buf *out, struct gd_span line, unsigned *count)
{
    while (line.len) {
        const char *comma = memchr(line.ptr, ',', line.len);
        size_t n = comma ? (size_t)(comma - line.ptr) : line.len;
        struct gd_span member = gd_span_trim((struct gd_span){line.ptr, n}, " \t");

        if (comma)
            n++;
        line = (struct gd_span){line.ptr + n, line.len - n};
        if (member.len == 0)
            continue;
        if (*count == MEMBERS_MAX || !is_state_member(member) ||
            (*count > 0 && !gd_buf_add(out, ",", 1)) || !gd_buf_add_span(out, member))
            return false;
        ++*count;
    }
    return true;
}

bool gd_tracestate_write(struct gd_buf *out, const struct gd_fields *fields)
{
    size_t start = out->len;
    unsigned count = 0;
    bool ok = true;

    for (unsigned i = 0; ok && i < fields->count; i++)
        if (gd_span_ieq(fields->items[i].name, GD_SPAN("tracestate")))
            ok = write_members(out, fields->items[i].value, &count) &&
                 out->len - start <= GD_TRACESTATE_MAX_BYTES;
    if (ok && count > 0)
        return true;
    out->len = start;
    return false;
}
