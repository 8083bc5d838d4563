/*
 * Patterns, routes and templates from end to end. The input is four lines: a pattern, a
 * template of a target, a template in JSON, a request's target. What is sent on is read
 * back strictly, and no more separators or quotes may be in it than the template has.
 */
#include <stdio.h>
#include <stdlib.h>

#include "http/target.h"
#include "json/scan.h"
#include "plan/route.h"
#include "plan/template.h"

enum { OUT_MAX = 1 << 20 };

static void stop(const char *what, struct gd_span text)
{
    fprintf(stderr, "template: %s: %.*s\n", what, GD_SPAN_ARG(text));
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

/* The place of the next byte of text at `at` or behind that is neither a brace nor inside
 * a placeholder. */
static size_t next_outside(struct gd_span text, size_t at)
{
    while (at < text.len) {
        char c = text.ptr[at];
        const char *end = memchr(text.ptr + at, '}', text.len - at);

        if (c != '{' && c != '}')
            break;
        if (at + 1 < text.len && text.ptr[at + 1] == c)
            at += 2;
        else
            at = end ? (size_t)(end - text.ptr) + 1 : text.len;
    }
    return at;
}

static size_t count_outside(struct gd_span text, char c)
{
    size_t count = 0;

    for (size_t i = next_outside(text, 0); i < text.len; i = next_outside(text, i + 1))
        count += text.ptr[i] == c;
    return count;
}

/* Splits a template, or what came out, at the "?" that begins the query. */
static struct gd_span split_query(struct gd_span *text)
{
    size_t i = next_outside(*text, 0);
    struct gd_span query;

    while (i < text->len && text->ptr[i] != '?')
        i = next_outside(*text, i + 1);
    query = (struct gd_span){text->ptr + i, text->len - i};
    text->len = i;
    return query;
}

static size_t count_slashes(struct gd_span text)
{
    split_query(&text);
    return count_outside(text, '/');
}

static size_t count_ampersands(struct gd_span text)
{
    return count_outside(split_query(&text), '&');
}

static size_t count_quotes(struct gd_span json)
{
    size_t count = 0;

    for (size_t i = 0; i < json.len; i++) {
        if (json.ptr[i] == '\\')
            i++;
        else
            count += json.ptr[i] == '"';
    }
    return count;
}

static void check_target(struct gd_arena *arena, struct gd_span text,
                         const struct gd_names *names, const struct gd_values *values)
{
    struct gd_err err;
    struct gd_template *tpl = gd_template_target(arena, text, names, &err);
    struct gd_target target;
    struct gd_buf out;
    struct gd_span sent;
    char *room;

    if (tpl == NULL)
        return;
    gd_buf_init(&out, NULL, OUT_MAX);
    if (gd_template_expand(tpl, values, &out) == GD_OK) {
        sent = gd_buf_span(&out);
        room = malloc(sent.len + 1);
        if (!gd_target_parse(sent, room, &target) || target.form != GD_TARGET_ORIGIN)
            stop("not a target", sent);
        if (count_ampersands(sent) > count_ampersands(text))
            stop("a parameter was added", sent);
        /* Tails have slashes of their own. */
        if (!names->tail && count_slashes(sent) != count_slashes(text))
            stop("a segment was added", sent);
        if (count_slashes(target.path) != count_slashes(sent))
            stop("a dot segment was sent", sent);
        free(room);
    } else if (out.len) {
        stop("something is left of a failure", text);
    }
    gd_buf_free(&out);
}

static void check_json(struct gd_arena *arena, struct gd_span json,
                       const struct gd_names *names, const struct gd_values *values)
{
    struct gd_template *tpl;
    struct gd_err err;
    struct gd_span value;
    struct gd_buf out;

    if (!gd_json_scan(json, 128, &value, NULL))
        return;
    tpl = gd_template_json(arena, json, names, &err);
    if (tpl == NULL)
        return;
    gd_buf_init(&out, NULL, OUT_MAX);
    if (gd_template_expand(tpl, values, &out) == GD_OK) {
        if (!gd_json_scan(gd_buf_span(&out), 128, &value, NULL))
            stop("not JSON", gd_buf_span(&out));
        if (count_quotes(gd_buf_span(&out)) != count_quotes(json))
            stop("a quote was added", gd_buf_span(&out));
    }
    gd_buf_free(&out);
}

/* Matches the request with the pattern alone and fills the values. */
static bool match(struct gd_arena *arena, const struct gd_pattern *pattern,
                  const struct gd_target *target, struct gd_match *found)
{
    struct gd_router *router = gd_router_new(arena);
    unsigned other;

    if (router == NULL || !gd_router_add(router, pattern, 7, &other))
        stop("a single route was not added", pattern->path);
    if (gd_router_add(router, pattern, 8, &other) || other != 7)
        stop("a route is not in conflict with itself", pattern->path);
    if (gd_router_match(router, pattern->method, pattern->method_text, pattern->host,
                        target->path, found) != GD_MATCH_FOUND)
        return false;
    if (found->index != 7 || found->param_count != pattern->param_count)
        stop("the wrong parameters", pattern->path);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gd_span rest = {(const char *)data, size};
    struct gd_span route = take_line(&rest), tpl = take_line(&rest);
    struct gd_span json = take_line(&rest);
    struct gd_pattern pattern;
    struct gd_target target;
    struct gd_match found;
    struct gd_names names;
    struct gd_values values;
    struct gd_facts facts;
    struct gd_arena arena;
    struct gd_err err;
    char *room = malloc(rest.len + 1);

    gd_arena_init(&arena, NULL, 4096, 64 << 20);
    if (gd_pattern_parse(route, &arena, &pattern, &err) &&
        gd_target_parse(rest, room, &target) &&
        match(&arena, &pattern, &target, &found)) {
        names = (struct gd_names){.params = pattern.params,
                                  .param_count = pattern.param_count,
                                  .tail = pattern.tail};
        facts = (struct gd_facts){.query = target.query};
        values = (struct gd_values){
            .params = found.params, .param_count = found.param_count, .facts = &facts};
        check_target(&arena, tpl, &names, &values);
        check_json(&arena, json, &names, &values);
    }
    gd_arena_free(&arena);
    free(room);
    return 0;
}
