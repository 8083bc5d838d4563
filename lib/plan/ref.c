#include "plan/ref.h"

#include "base/suggest.h"
#include "http/token.h"
#include "plan/route.h"

enum { KNOWN_MAX = 64 + GD_PARAMS_MAX + 8 };

/* What stands before a dot and is no call. */
static const struct {
    const char *word;
    enum gd_source source;
    bool everywhere; /* also where only parameters and the query are known */
} prefixes[] = {
    {"query", GD_SOURCE_QUERY, true},    {"header", GD_SOURCE_HEADER, false},
    {"cookie", GD_SOURCE_COOKIE, false}, {"body", GD_SOURCE_BODY, false},
    {"item", GD_SOURCE_ITEM, false},     {"request", GD_SOURCE_REQUEST_ID, false},
};
enum { PREFIXES = sizeof(prefixes) / sizeof(prefixes[0]) };

static const struct {
    const char *word;
    enum gd_source source;
} facts[] = {
    {"id", GD_SOURCE_REQUEST_ID},         {"ip", GD_SOURCE_REQUEST_IP},
    {"method", GD_SOURCE_REQUEST_METHOD}, {"path", GD_SOURCE_REQUEST_PATH},
    {"host", GD_SOURCE_REQUEST_HOST},
};
enum { FACTS = sizeof(facts) / sizeof(facts[0]) };

/* A reference taken apart: `base`, then what stands behind it. */
struct reading {
    struct gd_arena *arena;
    const struct gd_names *names;
    struct gd_span shown;
    struct gd_span base, rest;
    struct gd_ref *ref;
    struct gd_err *err;
};

/* Lengths -----------------------------------------------------------------------------
 */

static size_t word_length(struct gd_span text)
{
    size_t n = 0;

    while (n < text.len && gd_is_word_byte(text.ptr[n]))
        n++;
    return n;
}

static struct gd_span behind(struct gd_span text, size_t n)
{
    return (struct gd_span){text.ptr + n, text.len - n};
}

/* `.name` of a query, a header or a cookie, where names are less tidy than in JSON. */
static size_t name_length(struct gd_span text)
{
    size_t n = 1;

    if (text.len < 2 || text.ptr[0] != '.')
        return 0;
    while (n < text.len &&
           (gd_is_word_byte(text.ptr[n]) || strchr(".~*:[]", text.ptr[n])))
        n++;
    return n > 1 ? n : 0;
}

/* `:status` or `:header.name` */
static size_t aspect_length(struct gd_span text)
{
    size_t n;

    if (text.len < 2 || text.ptr[0] != ':')
        return 0;
    n = 1 + word_length(behind(text, 1));
    return n == 1 ? 0 : n + name_length(behind(text, n));
}

static bool has_names(struct gd_span base)
{
    return gd_span_is(base, "query") || gd_span_is(base, "header") ||
           gd_span_is(base, "cookie");
}

size_t gd_ref_length(struct gd_span text)
{
    size_t base = word_length(text);
    struct gd_span rest = behind(text, base);

    if (base == 0)
        return 0;
    if (has_names((struct gd_span){text.ptr, base}) && rest.len && rest.ptr[0] == '.')
        return base + name_length(rest);
    if (rest.len && rest.ptr[0] == ':')
        return base + aspect_length(rest);
    return base + gd_json_path_length(rest);
}

/* Names -------------------------------------------------------------------------------
 */

static bool find_name(const struct gd_span *names, unsigned count, struct gd_span name,
                      unsigned *index)
{
    for (unsigned i = 0; i < count; i++)
        if (gd_span_eq(names[i], name)) {
            *index = i;
            return true;
        }
    return false;
}

static bool is_known(const struct gd_names *names, unsigned prefix)
{
    if (prefixes[prefix].source == GD_SOURCE_ITEM)
        return names->item;
    return prefixes[prefix].everywhere || names->request;
}

static bool say(struct reading *r, const char *what)
{
    return gd_err_set(r->err, "%.*s %s", GD_SPAN_ARG(r->shown), what);
}

static bool full(struct reading *r)
{
    return gd_err_set(r->err, "the text is too long");
}

/* `{usr.id}` was meant to be `{user.id}`, and `$usr.id` to be `$user.id`. */
static bool say_meant(struct reading *r, const char *meant)
{
    char first = r->shown.len ? r->shown.ptr[0] : '\0';
    const char *open = first == '{' ? "{" : first == '$' ? "$" : "";

    return gd_err_set(r->err, "%.*s is not known here; did you mean %s%s%.*s%s?",
                      GD_SPAN_ARG(r->shown), open, meant, GD_SPAN_ARG(r->rest),
                      first == '{' ? "}" : "");
}

static bool say_unknown(struct reading *r)
{
    const struct gd_names *names = r->names;
    const char *known[KNOWN_MAX];
    const char *meant;
    size_t n = 0;

    for (unsigned i = 0; i < names->param_count && n < KNOWN_MAX; i++)
        known[n++] = gd_arena_text(r->arena, names->params[i]);
    for (unsigned i = 0; i < names->call_count && n < KNOWN_MAX; i++)
        known[n++] = gd_arena_text(r->arena, names->calls[i]);
    for (unsigned i = 0; i < PREFIXES && n < KNOWN_MAX; i++)
        if (r->rest.len && is_known(names, i))
            known[n++] = prefixes[i].word;
    meant = gd_suggest(r->base, known, n);
    if (meant)
        return say_meant(r, meant);
    if (gd_span_is(r->base, "item"))
        return say(r, "is not known here; item belongs to calls with each");
    return say(r, names->request
                      ? "is not known here; it is no path parameter and no call of the "
                        "route, nor one of query, header, cookie, body and request"
                      : "is not known here; what can be used are path parameters of the "
                        "route and query.NAME");
}

/* Parts of a reference ------------------------------------------------------------------
 */

static bool read_path(struct reading *r)
{
    struct gd_err err;

    if (gd_json_path_parse(r->arena, r->rest, &r->ref->path, &err))
        return true;
    return gd_err_set(r->err, "%.*s: %s", GD_SPAN_ARG(r->shown), err.text);
}

/* `.name` or `["odd name"]` */
static bool read_name(struct reading *r, struct gd_span text)
{
    struct gd_json_path path;
    struct gd_err err;

    if (text.len > 1 && text.ptr[0] == '.') {
        r->ref->name = gd_arena_copy(r->arena, behind(text, 1));
        return r->ref->name.ptr != NULL || full(r);
    }
    if (!gd_json_path_parse(r->arena, text, &path, &err) || path.count != 1 ||
        path.steps[0].kind != GD_STEP_NAME)
        return say(r,
                   "has no name; it is written like query.page or query[\"odd name\"]");
    r->ref->name = path.steps[0].name;
    return true;
}

static bool read_fact(struct reading *r)
{
    for (unsigned i = 0; i < FACTS && r->rest.len > 1; i++)
        if (gd_span_is(behind(r->rest, 1), facts[i].word)) {
            r->ref->source = facts[i].source;
            return true;
        }
    return say(r, "is not known here; of the request there are id, ip, method, path and "
                  "host");
}

static bool read_prefixed(struct reading *r, enum gd_source source)
{
    r->ref->source = source;
    if (source == GD_SOURCE_REQUEST_ID)
        return read_fact(r);
    if (source == GD_SOURCE_BODY || source == GD_SOURCE_ITEM)
        return read_path(r);
    if (!read_name(r, r->rest))
        return false;
    if (source != GD_SOURCE_QUERY && !gd_is_token(r->ref->name))
        return say(r, "is no name of a header or cookie");
    return true;
}

static bool read_call(struct reading *r, unsigned index)
{
    struct gd_span field = GD_SPAN(":header");

    r->ref->source = GD_SOURCE_CALL;
    r->ref->index = index;
    if (r->rest.len == 0 || r->rest.ptr[0] != ':')
        return read_path(r);
    if (gd_span_is(r->rest, ":status")) {
        r->ref->source = GD_SOURCE_STATUS;
        return true;
    }
    if (!gd_span_starts(r->rest, field))
        return say(r, "is not known; of an answer there are :status and :header.NAME");
    r->ref->source = GD_SOURCE_FIELD;
    return read_name(r, behind(r->rest, field.len)) &&
           (gd_is_token(r->ref->name) || say(r, "is no name of a header"));
}

static bool read_param(struct reading *r, unsigned index)
{
    if (r->rest.len)
        return say(r, "goes into a path parameter, which is plain text");
    r->ref->source = GD_SOURCE_PARAM;
    r->ref->index = index;
    r->ref->tail = r->names->tail && index + 1 == r->names->param_count;
    return true;
}

/* One name can stand for several things only where it is not mentioned. */
static bool resolve(struct reading *r)
{
    unsigned param = 0, call = 0, prefix = 0;
    bool is_param = find_name(r->names->params, r->names->param_count, r->base, &param);
    bool is_call = find_name(r->names->calls, r->names->call_count, r->base, &call);
    bool is_prefix;

    while (prefix < PREFIXES && !gd_span_is(r->base, prefixes[prefix].word))
        prefix++;
    is_prefix = prefix < PREFIXES && is_known(r->names, prefix) &&
                (r->rest.len || prefixes[prefix].source == GD_SOURCE_BODY ||
                 prefixes[prefix].source == GD_SOURCE_ITEM);
    if (is_param && is_call)
        return say(r, "could be the path parameter or the call of that name; rename one");
    if (is_prefix && is_call)
        return gd_err_set(r->err,
                          "%.*s could be the call \"%.*s\" or what that word stands for; "
                          "rename the call",
                          GD_SPAN_ARG(r->shown), GD_SPAN_ARG(r->base));
    if (is_prefix && (!is_param || r->rest.len))
        return read_prefixed(r, prefixes[prefix].source);
    if (is_call)
        return read_call(r, call);
    if (is_param)
        return read_param(r, param);
    return say_unknown(r);
}

bool gd_ref_parse(struct gd_arena *arena, struct gd_span text, struct gd_span shown,
                  const struct gd_names *names, struct gd_ref *ref, struct gd_err *err)
{
    struct reading r = {
        .arena = arena, .names = names, .shown = shown, .ref = ref, .err = err};
    size_t base = word_length(text);

    *ref = (struct gd_ref){.source = GD_SOURCE_PARAM};
    r.base = (struct gd_span){text.ptr, base};
    r.rest = behind(text, base);
    if (base == 0 || gd_ref_length(text) != text.len)
        return say(&r, "is no reference; it is written name, call.field, call[0], "
                       "call:status or query.name");
    return resolve(&r);
}
