/*
 * Explanations of whatever requests there can be. The input is lines: a method, a target,
 * a host (empty: none), and fields like `Name: value`. A document that is made is JSON,
 * can be printed, and has nothing in it of a secret of the configuration.
 */
#include <stdio.h>
#include <stdlib.h>

#include "gather/explain.h"
#include "plan/load.h"

enum { TEXT_MAX_BYTES = 64 << 20, FIELDS_MAX = 32 };

#define SECRET "hush/a&=%25?hush"

static const char config[] =
    "upstreams:\n"
    "  up: {servers: [http://10.0.0.1:1], headers: {X-K: '${K}', X-L: 'a ${K} b'}}\n"
    "  mock: {mock: {GET /m: {json: 1}}}\n"
    "routes:\n"
    "  GET /x/{id}/{rest...}:\n"
    "    parts: query\n"
    "    response_headers: {X-A: '{id} {a.b?}', X-B: '${K}'}\n"
    "    forward: {headers: [X-F, Authorization], query: [q, 'a b'], cookies: [sid]}\n"
    "    calls:\n"
    "      a: 'up/a/{id}/{query.q=none}/{rest=none}?x={header.x-a?}&y={cookie.c?}&z=1'\n"
    "      b: {url: 'up/${K}?k=${K}&q={a.b}', when: 'query.q == \"1\" || header.x-a'}\n"
    "      c:\n"
    "        url: 'up/{item}/{query.q}'\n"
    "        each: a.list[*]\n"
    "        headers: {X-Q: '{query.q} {header.x-a}', Cookie2: '{cookie.c?}'}\n"
    "        json: {a: $query.q, b: 'is {id}', c: '${K}', d: [$a, {$first: [$b, 1]}]}\n"
    "        default: ['${K}', {token: 5}]\n"
    "      d: {url: 'up/d', form: {a: '${K}', b: $query.q}, hidden: true}\n"
    "      e: mock/m\n"
    "  GET /x: {respond: {a: $query.q, b: '${K}'}}\n"
    "  POST h.example/x/{id}: {respond: 1}\n"
    "  /{any...}: {respond: 2, status: 404}\n"
    "  PURGE /x/{y}/z: {respond: 3}\n";

static const char *env(void *arg, const char *name)
{
    (void)arg;
    return strcmp(name, "K") == 0 ? SECRET : NULL;
}

static const struct gd_plan *plan_once(void)
{
    static struct gd_plan *plan;
    struct gd_load_options options = {.env = env};
    struct gd_findings findings = {0};

    if (plan)
        return plan;
    plan = gd_plan_load_text("x.yaml", gd_span_of(config), &options, &findings);
    if (plan)
        return plan;
    fprintf(stderr, "explain: %s\n", findings.lines[0]);
    abort();
}

static struct gd_span take_line(struct gd_span *rest)
{
    const char *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    struct gd_span line = *rest;

    if (end)
        line.len = (size_t)(end - line.ptr);
    rest->ptr += line.len + (end != NULL);
    rest->len -= line.len + (end != NULL);
    return line;
}

/* Fields as the command line and the guard let them through. */
static void take_fields(struct gd_span rest, struct gd_fields *fields)
{
    while (rest.len && fields->count < FIELDS_MAX) {
        struct gd_span line = take_line(&rest);
        const char *colon = line.len ? memchr(line.ptr, ':', line.len) : NULL;
        struct gd_field field = {.id = GD_FIELD_OTHER};

        if (colon == NULL)
            continue;
        field.name = (struct gd_span){line.ptr, (size_t)(colon - line.ptr)};
        field.value = (struct gd_span){colon + 1, line.len - field.name.len - 1};
        field.value = gd_span_trim(field.value, " \t");
        if (!gd_is_token(field.name) ||
            (field.value.len && !gd_is_field_value(field.value)))
            continue;
        field.id = gd_field_id_of(field.name);
        fields->items[fields->count++] = field;
    }
}

static void check_text(struct gd_span text, const char *what)
{
    if (text.len && memmem(text.ptr, text.len, "hush", 4)) {
        fprintf(stderr, "explain: a secret is in %s: %.*s\n", what, GD_SPAN_ARG(text));
        abort();
    }
}

static void check_document(const json_t *document, bool said)
{
    char *dump = json_dumps(document, 0);
    json_t *again = dump ? json_loads(dump, 0, NULL) : NULL;
    struct gd_buf text;

    gd_buf_init(&text, NULL, TEXT_MAX_BYTES);
    if (again == NULL || !json_equal(document, again) ||
        !gd_explain_text(document, &text))
        abort();
    (void)gd_explain_has_route(document);
    if (!said) {
        check_text(gd_span_of(dump), "the document");
        check_text(gd_buf_span(&text), "the text");
    }
    gd_buf_free(&text);
    json_decref(again);
    free(dump);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gd_span rest = {(const char *)data, size};
    struct gd_field items[FIELDS_MAX];
    struct gd_fields fields = {items, 0};
    struct gd_explain_request request = {.fields = &fields};
    struct gd_err err;
    json_t *document;

    request.method = take_line(&rest);
    request.target = take_line(&rest);
    request.host = take_line(&rest);
    if (request.host.len == 0)
        request.host = GD_SPAN_NONE;
    take_fields(rest, &fields);
    document = gd_explain(plan_once(), &request, &err);
    if (document)
        check_document(document, size && memmem(data, size, "hush", 4));
    json_decref(document);
    return 0;
}
