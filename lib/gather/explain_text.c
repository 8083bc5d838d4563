#include "gather/explain_inside.h"
#include "plan/value.h"

/* The document as text: a row a fact, its label in front, aligned. */

enum { LABEL_WIDTH = 16 };

struct page {
    struct gd_buf *out;
    const char *indent;
    bool ok;
};

/* Rows ----------------------------------------------------------------------------------
 */

static void add(struct page *page, const char *text)
{
    page->ok = page->ok && gd_buf_add_text(page->out, text);
}

/* Adds text that others wrote: no control character of it reaches a terminal. */
static void add_shown(struct page *page, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text, next = (unsigned char)text[1];
        bool c1 = c == 0xC2 && next >= 0x80 && next < 0xA0;
        char shown = c < 0x20 || c == 0x7F || c1 ? ' ' : *text;

        page->ok = page->ok && gd_buf_add(page->out, &shown, 1);
        text += c1;
    }
}

/* Begins a row; an empty label goes on with what the row above is about. */
static void label(struct page *page, const char *text)
{
    page->ok = page->ok && gd_buf_addf(page->out, "%s%-*s ", page->indent,
                                       LABEL_WIDTH - (int)strlen(page->indent), text);
}

static void row(struct page *page, const char *text, const char *value)
{
    label(page, text);
    add_shown(page, value);
    add(page, "\n");
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static int on_json(const char *text, size_t size, void *arg)
{
    struct page *page = arg;

    page->ok = page->ok && gd_buf_add(page->out, text, size);
    return page->ok ? 0 : -1;
}

/* A text as it is, anything else as JSON. */
static void add_value(struct page *page, const json_t *value)
{
    if (json_is_string(value))
        add_shown(page, json_string_value(value));
    else if (json_dump_callback(value, on_json, page,
                                JSON_COMPACT | JSON_ENCODE_ANY |
                                    JSON_REAL_PRECISION(15)) != 0)
        page->ok = false;
}

static void add_names(struct page *page, const json_t *names)
{
    size_t i;
    json_t *name;

    json_array_foreach(names, i, name)
    {
        add(page, i ? ", " : "");
        add_value(page, name);
    }
}

static void row_value(struct page *page, const char *text, const json_t *value)
{
    if (value == NULL)
        return;
    label(page, text);
    if (json_is_array(value) && json_is_string(json_array_get(value, 0)))
        add_names(page, value);
    else
        add_value(page, value);
    add(page, "\n");
}

static const char *duration_of(const json_t *object, const char *key,
                               struct gd_value_text *room)
{
    json_int_t ms = json_integer_value(json_object_get(object, key));

    return gd_value_duration_text((uint64_t)ms, room);
}

/* The route -----------------------------------------------------------------------------
 */

static void print_request(struct page *page, const json_t *document)
{
    const json_t *request = json_object_get(document, "request");

    label(page, "request");
    add_shown(page, text_of(request, "method"));
    add(page, " ");
    add_shown(page, text_of(request, "target"));
    if (json_is_string(json_object_get(request, "host"))) {
        add(page, " for ");
        add_shown(page, text_of(request, "host"));
    }
    add(page, "\n");
}

static void print_others(struct page *page, const json_t *document)
{
    const json_t *others = json_object_get(document, "others");
    const json_t *left_out = json_object_get(document, "others_left_out");
    size_t i;
    json_t *other;

    json_array_foreach(others, i, other)
    {
        label(page, i ? "" : "not");
        add_shown(page, text_of(other, "route"));
        add(page, ": ");
        add_shown(page, text_of(other, "why"));
        add(page, "\n");
    }
    if (left_out) {
        label(page, "");
        add(page, "and ");
        add_value(page, left_out);
        add(page, " more\n");
    }
}

static void print_unrouted(struct page *page, const json_t *document)
{
    const char *result = text_of(document, "result");
    const char *answer = "404 Not Found";
    size_t i;
    json_t *nearest;

    if (strcmp(result, "options") == 0)
        answer = "204 No Content";
    if (strcmp(result, "method_not_allowed") == 0)
        answer = "405 Method Not Allowed";
    row(page, "route", "none");
    row(page, "why", text_of(document, "why"));
    row(page, "answer", answer);
    if (json_object_get(document, "allow"))
        row(page, "allow", text_of(document, "allow"));
    print_others(page, document);
    json_array_foreach(json_object_get(document, "nearest"), i, nearest)
        row(page, i ? "" : "nearest", json_string_value(nearest));
}

static void print_route(struct page *page, const json_t *document)
{
    json_t *params = json_object_get(document, "params"), *value;
    struct gd_value_text room;
    const char *name;

    row(page, "route", text_of(document, "route"));
    row(page, "why", text_of(document, "why"));
    print_others(page, document);
    json_object_foreach(params, name, value)
    {
        label(page, "parameter");
        add(page, name);
        add(page, " = ");
        add_value(page, value);
        add(page, "\n");
    }
    row(page, "does", text_of(document, "does"));
    row(page, "timeout", duration_of(document, "timeout_ms", &room));
    if (json_object_get(document, "refused"))
        row(page, "refused", text_of(document, "refused"));
}

/* Calls ---------------------------------------------------------------------------------
 */

static void print_plan(struct page *page, const json_t *document)
{
    const json_t *stages = json_object_get(document, "stages");
    size_t i;
    json_t *stage;

    json_array_foreach(stages, i, stage)
    {
        row_value(page, i ? "then" : "at once", stage);
    }
}

static void print_upstream(struct page *page, const json_t *call)
{
    const json_t *upstream = json_object_get(call, "upstream");
    const json_t *servers = json_object_get(upstream, "servers");
    const json_t *left_out = json_object_get(upstream, "servers_left_out");

    label(page, "upstream");
    add_shown(page, text_of(upstream, "name"));
    add(page, servers ? " at " : ", a mock in the configuration");
    add_names(page, servers);
    if (left_out) {
        add(page, " and ");
        add_value(page, left_out);
        add(page, " more");
    }
    if (json_object_get(upstream, "balance")) {
        add(page, ", ");
        add_shown(page, text_of(upstream, "balance"));
    }
    if (json_object_get(upstream, "http")) {
        add(page, ", http ");
        add_shown(page, text_of(upstream, "http"));
    }
    if (json_is_false(json_object_get(upstream, "verify")))
        add(page, ", whose certificate is not verified");
    add(page, "\n");
}

static void print_fields(struct page *page, const char *title, const json_t *headers)
{
    size_t i;
    json_t *field;

    json_array_foreach(headers, i, field)
    {
        label(page, i ? "" : title);
        add_shown(page, text_of(field, "name"));
        add(page, ": ");
        add_shown(page, text_of(field, "value"));
        add(page, "\n");
    }
}

static void print_left_out(struct page *page, const json_t *lists)
{
    const json_t *left_out = json_object_get(lists, "left_out");

    if (left_out == NULL)
        return;
    add(page, " and ");
    add_value(page, left_out);
    add(page, " more that are not told");
}

/* One of the lists of what is passed on. */
static void print_passed(struct page *page, const char *title, const json_t *call,
                         const char *which)
{
    json_t *passed = json_object_get(call, "passed_on"), *lists;
    const char *kind;
    bool first = true;

    json_object_foreach(passed, kind, lists)
    {
        const json_t *names = json_object_get(lists, which);

        if (json_array_size(names) == 0)
            continue;
        label(page, first ? title : "");
        add(page, kind);
        add(page, " ");
        add_names(page, names);
        print_left_out(page, lists);
        add(page, "\n");
        first = false;
    }
}

static void print_timeouts(struct page *page, const json_t *call)
{
    const json_t *timeouts = json_object_get(call, "timeouts");
    struct gd_value_text room;

    label(page, "timeouts");
    if (json_object_get(timeouts, "call_ms")) {
        add(page, duration_of(timeouts, "call_ms", &room));
        add(page, " the call, ");
    }
    add(page, duration_of(timeouts, "try_ms", &room));
    add(page, " a try, ");
    add(page, duration_of(timeouts, "route_ms", &room));
    add(page, " the route; the first is that of the ");
    add_shown(page, text_of(timeouts, "first"));
    add(page, "\n");
}

static void print_failure(struct page *page, const json_t *call)
{
    const char *what = text_of(call, "if_it_fails");

    if (strcmp(what, "default") != 0) {
        row(page, "if it fails",
            strcmp(what, "null") == 0
                ? "null stands in for it"
                : "the route fails: 4xx as it came, timeout 504, overload 503, else 502");
        return;
    }
    label(page, "if it fails");
    add_value(page, json_object_get(call, "default"));
    add(page, " stands in for it\n");
}

static void print_start(struct page *page, const json_t *call)
{
    const json_t *after = json_object_get(call, "after");
    const json_t *holds = json_object_get(call, "when_holds");

    label(page, "starts");
    add(page, json_array_size(after) ? "after " : "at once");
    add_names(page, after);
    add(page, "\n");
    if (json_object_get(call, "when") == NULL)
        return;
    label(page, "when");
    add_shown(page, text_of(call, "when"));
    if (holds)
        add(page, json_is_true(holds) ? " (holds)" : " (does not hold: not called)");
    add(page, "\n");
}

/* Options that need no words of their own, in this order; what else was written follows.
 */
static const char *const plain[] = {
    "each", "each_limit", "each_parallel", "json", "form",   "body",
    "ok",   "select",     "pick",          "drop", "rename",
};
enum { PLAINS = sizeof(plain) / sizeof(plain[0]) };

static const char *const told[] = {
    "name",        "method",  "url",       "url_is_final", "unresolved",
    "upstream",    "headers", "passed_on", "when_holds",   "timeouts",
    "if_it_fails", "hidden",  "after",     "when",         "default",
};
enum { TOLD = sizeof(told) / sizeof(told[0]) };

static bool is_in(const char *const *list, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], key) == 0)
            return true;
    return false;
}

static void print_options(struct page *page, json_t *call)
{
    const char *key;
    json_t *value;

    for (size_t i = 0; i < PLAINS; i++)
        row_value(page, plain[i], json_object_get(call, plain[i]));
    json_object_foreach(call, key, value)
    {
        if (!is_in(plain, PLAINS, key) && !is_in(told, TOLD, key))
            row_value(page, key, value);
    }
}

static void print_call(struct page *page, json_t *call)
{
    page->indent = "";
    add(page, "\n");
    row(page, "call", text_of(call, "name"));
    page->indent = "  ";
    label(page, "sends");
    add_shown(page, text_of(call, "method"));
    add(page, " ");
    add_shown(page, text_of(call, "url"));
    add(page, "\n");
    if (json_object_get(call, "unresolved")) {
        label(page, "");
        add_shown(page, text_of(call, "unresolved"));
        add(page, " has no value that can stand there: fails as unresolved\n");
    }
    print_start(page, call);
    print_upstream(page, call);
    print_fields(page, "headers", json_object_get(call, "headers"));
    print_passed(page, "passed on", call, "kept");
    print_passed(page, "used by name", call, "named");
    print_passed(page, "not passed on", call, "dropped");
    print_options(page, call);
    print_timeouts(page, call);
    print_failure(page, call);
    if (json_is_true(json_object_get(call, "hidden")))
        row(page, "hidden", "other calls use it; it is not in the answer");
    page->indent = "";
}

/* A route that streams to one upstream. */
static void print_pass(struct page *page, const json_t *pass)
{
    add(page, "\npass\n");
    page->indent = "  ";
    label(page, "sends");
    add_shown(page, text_of(pass, "method"));
    add(page, " ");
    add_shown(page, text_of(pass, "url"));
    add(page, "\n");
    print_upstream(page, pass);
    page->indent = "";
}

/* The answer ----------------------------------------------------------------------------
 */

static void print_answer(struct page *page, const json_t *document)
{
    const json_t *answer = json_object_get(document, "answer");
    const json_t *respond = json_object_get(answer, "respond");
    const json_t *merge = json_object_get(answer, "merge");

    add(page, "\nanswer\n");
    page->indent = "  ";
    row_value(page, "status", json_object_get(answer, "status"));
    row_value(page, "status of", json_object_get(answer, "status_of"));
    if (json_object_get(answer, "location"))
        row(page, "location", text_of(answer, "location"));
    if (respond == NULL)
        row_value(page, "members", json_object_get(answer, "members"));
    row_value(page, "respond", respond);
    row_value(page, "merge", merge);
    print_fields(page, "headers", json_object_get(answer, "headers"));
    if (json_is_true(json_object_get(answer, "stream")))
        row(page, "stream", "parts as they complete, when asked for");
    if (json_is_true(json_object_get(answer, "parts")))
        row(page, "parts", "?parts=a,b makes only these calls");
    page->indent = "";
}

bool gd_explain_text(const json_t *document, struct gd_buf *out)
{
    struct page page = {.out = out, .indent = "", .ok = true};
    size_t i;
    json_t *call;

    print_request(&page, document);
    if (json_object_get(document, "route") == NULL) {
        print_unrouted(&page, document);
        return page.ok;
    }
    print_route(&page, document);
    print_plan(&page, document);
    json_array_foreach(json_object_get(document, "calls"), i, call)
        print_call(&page, call);
    if (json_object_get(document, "pass"))
        print_pass(&page, json_object_get(document, "pass"));
    if (json_object_get(document, "answer"))
        print_answer(&page, document);
    return page.ok;
}
