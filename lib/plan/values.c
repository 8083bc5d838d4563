#include "plan/values.h"

#include "http/target.h"

bool gd_doc_index(struct gd_doc *doc)
{
    if (doc->indexed)
        return true;
    doc->root = GD_NODE_ROOT;
    doc->indexed = gd_tape_build(&doc->tape, doc->text);
    return doc->indexed;
}

bool gd_doc_scan(struct gd_doc *doc, struct gd_span bytes, unsigned max_depth)
{
    if (!gd_tape_scan(&doc->tape, bytes, max_depth, &doc->text, NULL))
        return false;
    doc->root = GD_NODE_ROOT;
    doc->indexed = !gd_tape_is_empty(&doc->tape);
    return true;
}

bool gd_doc_select(struct gd_doc *doc, const struct gd_json_path *path)
{
    struct gd_json_value found;

    if (!gd_doc_index(doc))
        return false;
    found = gd_json_path_find(path, gd_doc_value(doc));
    if (found.tape == NULL) {
        gd_doc_free(doc);
        doc->text = GD_SPAN("null");
        return true;
    }
    doc->root = found.node;
    doc->text = gd_tape_text(found.tape, found.node);
    return true;
}

void gd_doc_free(struct gd_doc *doc)
{
    gd_tape_free(&doc->tape);
    doc->indexed = false;
    doc->text = GD_SPAN_NONE;
}

/* Looking up ----------------------------------------------------------------------------
 */

static struct gd_found nothing(void)
{
    return (struct gd_found){.kind = GD_FOUND_NOTHING};
}

static struct gd_found found_text(struct gd_span text, enum gd_coding coding)
{
    if (text.ptr == NULL)
        return nothing();
    return (struct gd_found){.kind = GD_FOUND_TEXT, .text = text, .coding = coding};
}

static struct gd_found found_json(struct gd_json_value from,
                                  const struct gd_json_path *path)
{
    struct gd_found found = {.kind = GD_FOUND_JSON, .json = from};

    if (from.tape == NULL)
        return nothing();
    if (path->many) {
        found.kind = GD_FOUND_MANY;
        return found;
    }
    found.json = gd_json_path_find(path, from);
    return found.json.tape ? found : nothing();
}

static struct gd_json_value look_up(struct gd_json_value from,
                                    const struct gd_json_path *path, struct gd_seen *seen)
{
    struct gd_json_value value;

    for (unsigned i = 0; i < seen->count; i++)
        if (seen->paths[i].steps == path->steps && seen->paths[i].tape == from.tape)
            return seen->paths[i].value;
    value = gd_json_path_find(path, from);
    if (seen->count < sizeof(seen->paths) / sizeof(seen->paths[0])) {
        seen->paths[seen->count].steps = path->steps;
        seen->paths[seen->count].tape = from.tape;
        seen->paths[seen->count++].value = value;
    }
    return value;
}

static struct gd_found in_doc(const struct gd_values *values, struct gd_doc *doc,
                              const struct gd_json_path *path)
{
    struct gd_found found = {.kind = GD_FOUND_JSON};

    if (doc == NULL || doc->text.ptr == NULL)
        return nothing();
    if (!gd_doc_index(doc))
        return (struct gd_found){.kind = GD_FOUND_NO_MEMORY};
    if (values->seen == NULL || path->many || path->count == 0)
        return found_json(gd_doc_value(doc), path);
    found.json = look_up(gd_doc_value(doc), path, values->seen);
    return found.json.tape ? found : nothing();
}

/* The value of `name` in the Cookie fields (RFC 6265 4.2.1), as sent. */
static struct gd_span find_cookie(const struct gd_fields *fields, struct gd_span name)
{
    for (unsigned i = 0; i < fields->count; i++) {
        struct gd_span rest = fields->items[i].value;

        if (fields->items[i].id != GD_FIELD_COOKIE)
            continue;
        while (rest.len) {
            const char *end = memchr(rest.ptr, ';', rest.len);
            size_t len = end ? (size_t)(end - rest.ptr) : rest.len;
            struct gd_span pair = gd_span_trim((struct gd_span){rest.ptr, len}, " \t");

            if (pair.len > name.len && pair.ptr[name.len] == '=' &&
                memcmp(pair.ptr, name.ptr, name.len) == 0)
                return (struct gd_span){pair.ptr + name.len + 1, pair.len - name.len - 1};
            len += end != NULL;
            rest.ptr += len;
            rest.len -= len;
        }
    }
    return GD_SPAN_NONE;
}

static struct gd_found find_field(const struct gd_fields *fields, struct gd_span name)
{
    const struct gd_field *field = gd_fields_find(fields, name);

    return field ? found_text(field->value, GD_CODED_PLAIN) : nothing();
}

/* A field of a head that was valid when it was received. */
static struct gd_found find_in_head(struct gd_span head, struct gd_span name)
{
    static const struct gd_head_limits limits = {SIZE_MAX, SIZE_MAX, 128};
    struct gd_field items[128];
    struct gd_head_state state = {0};
    struct gd_response_head out;

    if (head.len == 0 || gd_response_head_parse(&state, head, &limits, GD_METHOD_HEAD,
                                                items, &out) != GD_PARSE_DONE)
        return nothing();
    return find_field(&out.fields, name);
}

static struct gd_found find_param(const struct gd_values *values,
                                  const struct gd_ref *ref)
{
    if (ref->index >= values->param_count)
        return nothing();
    return found_text(values->params[ref->index], GD_CODED_PERCENT);
}

static struct gd_found find_in_yield(const struct gd_values *values,
                                     const struct gd_ref *ref)
{
    struct gd_yield *yield = &values->yields[ref->index];

    if (ref->source == GD_SOURCE_CALL)
        return in_doc(values, values->showing ? yield->shown : &yield->whole, &ref->path);
    if (ref->source == GD_SOURCE_FIELD)
        return find_in_head(yield->head, ref->name);
    if (yield->status == 0)
        return nothing();
    return (struct gd_found){.kind = GD_FOUND_NUMBER, .number = yield->status};
}

struct gd_found gd_values_find(const struct gd_values *values, const struct gd_ref *ref)
{
    const struct gd_facts *facts = values->facts;

    switch (ref->source) {
    case GD_SOURCE_PARAM:
        return find_param(values, ref);
    case GD_SOURCE_QUERY:
        return found_text(gd_query_get(facts->query, ref->name), GD_CODED_FORM);
    case GD_SOURCE_HEADER:
        return find_field(facts->fields, ref->name);
    case GD_SOURCE_COOKIE:
        return found_text(find_cookie(facts->fields, ref->name), GD_CODED_PLAIN);
    case GD_SOURCE_BODY:
        return in_doc(values, values->body, &ref->path);
    case GD_SOURCE_CALL:
    case GD_SOURCE_STATUS:
    case GD_SOURCE_FIELD:
        return find_in_yield(values, ref);
    case GD_SOURCE_REQUEST_ID:
        return found_text(facts->id, GD_CODED_PLAIN);
    case GD_SOURCE_REQUEST_IP:
        return found_text(facts->ip, GD_CODED_PLAIN);
    case GD_SOURCE_REQUEST_METHOD:
        return found_text(facts->method, GD_CODED_PLAIN);
    case GD_SOURCE_REQUEST_PATH:
        return found_text(facts->path, GD_CODED_PERCENT);
    case GD_SOURCE_REQUEST_HOST:
        return found_text(facts->host, GD_CODED_PLAIN);
    case GD_SOURCE_ITEM:
        return found_json(values->item, &ref->path);
    }
    return nothing();
}

bool gd_values_know(const struct gd_values *values, const struct gd_ref *ref)
{
    const struct gd_facts *facts = values->facts;

    switch (ref->source) {
    case GD_SOURCE_PARAM:
    case GD_SOURCE_QUERY:
    case GD_SOURCE_HEADER:
    case GD_SOURCE_COOKIE:
        return true;
    case GD_SOURCE_BODY:
        return values->body != NULL;
    case GD_SOURCE_CALL:
    case GD_SOURCE_STATUS:
    case GD_SOURCE_FIELD:
        return values->yields != NULL;
    case GD_SOURCE_REQUEST_ID:
        return facts->id.ptr != NULL;
    case GD_SOURCE_REQUEST_IP:
        return facts->ip.ptr != NULL;
    case GD_SOURCE_REQUEST_METHOD:
        return facts->method.ptr != NULL;
    case GD_SOURCE_REQUEST_PATH:
        return facts->path.ptr != NULL;
    case GD_SOURCE_REQUEST_HOST:
        return facts->host.ptr != NULL;
    case GD_SOURCE_ITEM:
        return values->item.tape != NULL;
    }
    return false;
}

/* As text -------------------------------------------------------------------------------
 */

static bool is_scalar(struct gd_json_value value)
{
    enum gd_json_kind kind = gd_tape_kind(value.tape, value.node);

    return kind != GD_JSON_NULL && kind != GD_JSON_ARRAY && kind != GD_JSON_OBJECT;
}

bool gd_found_is_scalar(const struct gd_found *found)
{
    return found->kind == GD_FOUND_TEXT || found->kind == GD_FOUND_NUMBER ||
           (found->kind == GD_FOUND_JSON && is_scalar(found->json));
}

/* One of several, after a comma. */
struct joining {
    struct gd_buf *out;
    unsigned count;
    bool full;
};

static bool add_json(struct gd_buf *out, struct gd_json_value value)
{
    if (gd_tape_kind(value.tape, value.node) == GD_JSON_STRING)
        return gd_tape_decode(value.tape, value.node, out);
    return gd_buf_add_span(out, gd_tape_text(value.tape, value.node));
}

static bool on_value(void *arg, struct gd_json_value value)
{
    struct joining *joining = arg;

    if (!is_scalar(value))
        return false;
    joining->full = (joining->count++ && !gd_buf_add(joining->out, ",", 1)) ||
                    !add_json(joining->out, value);
    return !joining->full;
}

static bool add_many(const struct gd_found *found, const struct gd_json_path *path,
                     struct gd_buf *out, bool *full)
{
    struct joining joining = {.out = out};
    bool all = gd_json_path_each(path, found->json, on_value, &joining);

    *full = joining.full;
    return all && joining.count > 0;
}

static bool add_decoded(struct gd_buf *out, struct gd_span text, enum gd_coding coding)
{
    if (coding == GD_CODED_PLAIN || text.len == 0)
        return gd_buf_add_span(out, text);
    if (!gd_buf_reserve(out, text.len))
        return false;
    out->len += gd_percent_decode(text, coding == GD_CODED_FORM, out->data + out->len);
    return true;
}

bool gd_found_text(const struct gd_found *found, const struct gd_json_path *path,
                   struct gd_buf *out, bool *full)
{
    size_t start = out->len;
    bool ok = true;

    *full = found->kind == GD_FOUND_NO_MEMORY;
    if (found->kind == GD_FOUND_MANY)
        ok = add_many(found, path, out, full);
    else if (!gd_found_is_scalar(found))
        return false;
    else if (found->kind == GD_FOUND_NUMBER)
        *full = !gd_buf_add_u64(out, (uint64_t)found->number);
    else if (found->kind == GD_FOUND_TEXT)
        *full = !add_decoded(out, found->text, found->coding);
    else
        *full = !add_json(out, found->json);
    if (!ok || *full)
        out->len = start;
    return ok && !*full;
}
