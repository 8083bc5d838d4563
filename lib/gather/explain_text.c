#include "gather/explain_page.h"

/* The document as text. */

/* The route -----------------------------------------------------------------------------
 */

static void print_request(struct gd_page *page, const json_t *document)
{
    const json_t *request = json_object_get(document, "request");

    gd_page_label(page, "request");
    gd_page_add_shown(page, gd_page_text_of(request, "method"));
    gd_page_add(page, " ");
    gd_page_add_shown(page, gd_page_text_of(request, "target"));
    if (json_is_string(json_object_get(request, "host"))) {
        gd_page_add(page, " for ");
        gd_page_add_shown(page, gd_page_text_of(request, "host"));
    }
    gd_page_add(page, "\n");
}

static void print_others(struct gd_page *page, const json_t *document)
{
    const json_t *others = json_object_get(document, "others");
    const json_t *left_out = json_object_get(document, "others_left_out");
    size_t i;
    json_t *other;

    json_array_foreach(others, i, other)
    {
        gd_page_label(page, i ? "" : "not");
        gd_page_add_shown(page, gd_page_text_of(other, "route"));
        gd_page_add(page, ": ");
        gd_page_add_shown(page, gd_page_text_of(other, "why"));
        gd_page_add(page, "\n");
    }
    if (left_out) {
        gd_page_label(page, "");
        gd_page_add(page, "and ");
        gd_page_add_value(page, left_out);
        gd_page_add(page, " more\n");
    }
}

static void print_unrouted(struct gd_page *page, const json_t *document)
{
    const char *result = gd_page_text_of(document, "result");
    const char *answer = "404 Not Found";
    size_t i;
    json_t *nearest;

    if (strcmp(result, "options") == 0)
        answer = "204 No Content";
    if (strcmp(result, "method_not_allowed") == 0)
        answer = "405 Method Not Allowed";
    gd_page_row(page, "route", "none");
    gd_page_row(page, "why", gd_page_text_of(document, "why"));
    gd_page_row(page, "answer", answer);
    if (json_object_get(document, "allow"))
        gd_page_row(page, "allow", gd_page_text_of(document, "allow"));
    print_others(page, document);
    json_array_foreach(json_object_get(document, "nearest"), i, nearest)
        gd_page_row(page, i ? "" : "nearest", json_string_value(nearest));
}

static void print_route(struct gd_page *page, const json_t *document)
{
    json_t *params = json_object_get(document, "params"), *value;
    struct gd_value_text room;
    const char *name;

    gd_page_row(page, "route", gd_page_text_of(document, "route"));
    gd_page_row(page, "why", gd_page_text_of(document, "why"));
    print_others(page, document);
    json_object_foreach(params, name, value)
    {
        gd_page_label(page, "parameter");
        gd_page_add(page, name);
        gd_page_add(page, " = ");
        gd_page_add_value(page, value);
        gd_page_add(page, "\n");
    }
    gd_page_row(page, "does", gd_page_text_of(document, "does"));
    gd_page_row(page, "timeout", gd_page_duration_of(document, "timeout_ms", &room));
    if (json_object_get(document, "refused"))
        gd_page_row(page, "refused", gd_page_text_of(document, "refused"));
}

/* Calls ---------------------------------------------------------------------------------
 */

static void print_plan(struct gd_page *page, const json_t *document)
{
    const json_t *stages = json_object_get(document, "stages");
    size_t i;
    json_t *stage;

    json_array_foreach(stages, i, stage)
    {
        gd_page_row_value(page, i ? "then" : "at once", stage);
    }
}

static void print_fields(struct gd_page *page, const char *title, const json_t *headers)
{
    size_t i;
    json_t *field;

    json_array_foreach(headers, i, field)
    {
        gd_page_label(page, i ? "" : title);
        gd_page_add_shown(page, gd_page_text_of(field, "name"));
        gd_page_add(page, ": ");
        gd_page_add_shown(page, gd_page_text_of(field, "value"));
        gd_page_add(page, "\n");
    }
}

static void print_left_out(struct gd_page *page, const json_t *lists)
{
    const json_t *left_out = json_object_get(lists, "left_out");

    if (left_out == NULL)
        return;
    gd_page_add(page, " and ");
    gd_page_add_value(page, left_out);
    gd_page_add(page, " more that are not told");
}

/* One of the lists of what is passed on. */
static void print_passed(struct gd_page *page, const char *title, const json_t *call,
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
        gd_page_label(page, first ? title : "");
        gd_page_add(page, kind);
        gd_page_add(page, " ");
        gd_page_add_names(page, names);
        print_left_out(page, lists);
        gd_page_add(page, "\n");
        first = false;
    }
}

static void print_timeouts(struct gd_page *page, const json_t *call)
{
    const json_t *timeouts = json_object_get(call, "timeouts");
    struct gd_value_text room;

    gd_page_label(page, "timeouts");
    if (json_object_get(timeouts, "call_ms")) {
        gd_page_add(page, gd_page_duration_of(timeouts, "call_ms", &room));
        gd_page_add(page, " the call, ");
    }
    gd_page_add(page, gd_page_duration_of(timeouts, "try_ms", &room));
    gd_page_add(page, " a try, ");
    gd_page_add(page, gd_page_duration_of(timeouts, "route_ms", &room));
    gd_page_add(page, " the route; the first is that of the ");
    gd_page_add_shown(page, gd_page_text_of(timeouts, "first"));
    gd_page_add(page, "\n");
}

static void print_failure(struct gd_page *page, const json_t *call)
{
    const char *what = gd_page_text_of(call, "if_it_fails");

    if (strcmp(what, "default") != 0) {
        gd_page_row(
            page, "if it fails",
            strcmp(what, "null") == 0
                ? "null stands in for it"
                : "the route fails: 4xx as it came, timeout 504, overload 503, else 502");
        return;
    }
    gd_page_label(page, "if it fails");
    gd_page_add_value(page, json_object_get(call, "default"));
    gd_page_add(page, " stands in for it\n");
}

static void print_start(struct gd_page *page, const json_t *call)
{
    const json_t *after = json_object_get(call, "after");
    const json_t *holds = json_object_get(call, "when_holds");

    gd_page_label(page, "starts");
    gd_page_add(page, json_array_size(after) ? "after " : "at once");
    gd_page_add_names(page, after);
    gd_page_add(page, "\n");
    if (json_object_get(call, "when") == NULL)
        return;
    gd_page_label(page, "when");
    gd_page_add_shown(page, gd_page_text_of(call, "when"));
    if (holds)
        gd_page_add(page,
                    json_is_true(holds) ? " (holds)" : " (does not hold: not called)");
    gd_page_add(page, "\n");
}

/* Options that need no words of their own, in this order; what else was written follows.
 */
static const char *const plain[] = {
    "each", "each_limit", "each_parallel", "json", "form",   "body",
    "ok",   "select",     "pick",          "drop", "rename",
};
enum { PLAINS = sizeof(plain) / sizeof(plain[0]) };

static const char *const told[] = {
    "name",    "method",    "url",        "url_is_final", "unresolved",  "upstream",
    "headers", "passed_on", "when_holds", "timeouts",     "if_it_fails", "hidden",
    "after",   "when",      "default",    "sent_again",
};
enum { TOLD = sizeof(told) / sizeof(told[0]) };

static bool is_in(const char *const *list, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], key) == 0)
            return true;
    return false;
}

static void print_options(struct gd_page *page, json_t *call)
{
    const char *key;
    json_t *value;

    for (size_t i = 0; i < PLAINS; i++)
        gd_page_row_value(page, plain[i], json_object_get(call, plain[i]));
    json_object_foreach(call, key, value)
    {
        if (!is_in(plain, PLAINS, key) && !is_in(told, TOLD, key))
            gd_page_row_value(page, key, value);
    }
}

static void print_call(struct gd_page *page, json_t *call)
{
    page->indent = "";
    gd_page_add(page, "\n");
    gd_page_row(page, "call", gd_page_text_of(call, "name"));
    page->indent = "  ";
    gd_page_label(page, "sends");
    gd_page_add_shown(page, gd_page_text_of(call, "method"));
    gd_page_add(page, " ");
    gd_page_add_shown(page, gd_page_text_of(call, "url"));
    gd_page_add(page, "\n");
    if (json_object_get(call, "unresolved")) {
        gd_page_label(page, "");
        gd_page_add_shown(page, gd_page_text_of(call, "unresolved"));
        gd_page_add(page, " has no value that can stand there: fails as unresolved\n");
    }
    print_start(page, call);
    gd_page_upstream(page, call);
    print_fields(page, "headers", json_object_get(call, "headers"));
    print_passed(page, "passed on", call, "kept");
    print_passed(page, "used by name", call, "named");
    print_passed(page, "not passed on", call, "dropped");
    print_options(page, call);
    print_timeouts(page, call);
    gd_page_row(page, "sent again", gd_page_text_of(call, "sent_again"));
    print_failure(page, call);
    if (json_is_true(json_object_get(call, "hidden")))
        gd_page_row(page, "hidden", "other calls use it; it is not in the answer");
    page->indent = "";
}

/* A route that streams to one upstream. */
static void print_pass(struct gd_page *page, const json_t *pass)
{
    gd_page_add(page, "\npass\n");
    page->indent = "  ";
    gd_page_label(page, "sends");
    gd_page_add_shown(page, gd_page_text_of(pass, "method"));
    gd_page_add(page, " ");
    gd_page_add_shown(page, gd_page_text_of(pass, "url"));
    gd_page_add(page, "\n");
    gd_page_upstream(page, pass);
    page->indent = "";
}

static void print_files(struct gd_page *page, const json_t *files)
{
    gd_page_add(page, "\nfiles\n");
    page->indent = "  ";
    gd_page_row(page, "folder", gd_page_text_of(files, "dir"));
    gd_page_row(page, "file", gd_page_text_of(files, "path"));
    if (json_object_get(files, "fallback"))
        gd_page_row(page, "else", gd_page_text_of(files, "fallback"));
    page->indent = "";
}

/* The answer ----------------------------------------------------------------------------
 */

static void print_answer(struct gd_page *page, const json_t *document)
{
    const json_t *answer = json_object_get(document, "answer");
    const json_t *respond = json_object_get(answer, "respond");
    const json_t *merge = json_object_get(answer, "merge");

    gd_page_add(page, "\nanswer\n");
    page->indent = "  ";
    gd_page_row_value(page, "status", json_object_get(answer, "status"));
    gd_page_row_value(page, "status of", json_object_get(answer, "status_of"));
    if (json_object_get(answer, "location"))
        gd_page_row(page, "location", gd_page_text_of(answer, "location"));
    if (respond == NULL)
        gd_page_row_value(page, "members", json_object_get(answer, "members"));
    gd_page_row_value(page, "respond", respond);
    gd_page_row_value(page, "merge", merge);
    print_fields(page, "headers", json_object_get(answer, "headers"));
    if (json_object_get(answer, "cache_control"))
        gd_page_row(page, "kept", gd_page_text_of(answer, "cache_control"));
    gd_page_row_value(page, "etag", json_object_get(answer, "etag"));
    gd_page_row_value(page, "timing", json_object_get(answer, "server_timing"));
    gd_page_row_value(page, "compress", json_object_get(answer, "compress"));
    gd_page_row_value(page, "cors", json_object_get(answer, "cors"));
    if (json_is_true(json_object_get(answer, "stream")))
        gd_page_row(page, "stream", "parts as they complete, when asked for");
    if (json_is_true(json_object_get(answer, "parts")))
        gd_page_row(page, "parts", "?parts=a,b makes only these calls");
    page->indent = "";
}

bool gd_explain_text(const json_t *document, struct gd_buf *out)
{
    struct gd_page page = {.out = out, .indent = "", .ok = true};
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
    gd_page_upstreams(&page, document);
    if (json_object_get(document, "files"))
        print_files(&page, json_object_get(document, "files"));
    if (json_object_get(document, "answer"))
        print_answer(&page, document);
    return page.ok;
}
