#include "plan/load_log.h"
#include "plan/schema.h"
#include "plan/value.h"

/* The logs: where they go, what is in them. */

static const char *const field_names[] = {
#define X(id, name, help) name,
    GD_LOG_FIELD_ROWS(X)
#undef X
};

/* Whose values would be somebody's key. */
static bool is_secret(struct gd_span name)
{
    static const char *const secret[] = {"authorization", "proxy-authorization", "cookie",
                                         "set-cookie", "x-api-key"};

    for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++)
        if (gd_span_ieq(name, gd_span_of(secret[i])))
            return true;
    return false;
}

/* Places --------------------------------------------------------------------------------
 */

/* `syslog` and `journal`, with `:/PATH` behind for another socket than the usual one. */
static bool is_service(struct gd_loader *loader, struct gd_span text, const char *word,
                       const char *usual, struct gd_log_place *out)
{
    struct gd_span path = {text.ptr + strlen(word), text.len - strlen(word)};

    if (text.len < strlen(word) || !gd_span_starts(text, gd_span_of(word)))
        return false;
    if (path.len == 0) {
        out->path = usual;
        return true;
    }
    if (!gd_span_starts(path, GD_SPAN(":/")))
        return false;
    path = (struct gd_span){path.ptr + 1, path.len - 1};
    out->path = gd_need(gd_arena_text(&loader->plan->arena, path));
    return true;
}

static void load_place(struct gd_loader *loader, const struct gd_yaml_node *node,
                       struct gd_log_place *out)
{
    struct gd_words words;
    struct gd_span text = node->text;

    if (node->broken)
        return;
    *out = (struct gd_log_place){GD_LOG_OFF, NULL};
    if (node->kind == GD_YAML_SCALAR) {
        if (gd_span_is(text, "off"))
            return;
        if (gd_span_is(text, "stderr"))
            out->kind = GD_LOG_STDERR;
        else if (is_service(loader, text, "journal", GD_LOG_JOURNAL_SOCKET, out))
            out->kind = GD_LOG_JOURNAL;
        else if (is_service(loader, text, "syslog", GD_LOG_SYSLOG_SOCKET, out))
            out->kind = GD_LOG_SYSLOG;
        else if (text.len > 1 && text.ptr[0] == '/' && text.ptr[text.len - 1] != '/') {
            out->kind = GD_LOG_FILE;
            out->path = gd_need(gd_arena_text(&loader->plan->arena, text));
        }
        if (out->kind != GD_LOG_OFF)
            return;
    }
    gd_report_value(&loader->report, node,
                    "expected off, stderr, journal, syslog or the full path of a file, "
                    "found %s",
                    gd_words_found(&words, node));
}

/* The error log -------------------------------------------------------------------------
 */

static bool level_of(struct gd_span text, enum gd_log_level *out)
{
    static const char *const words[] = {"error", "warn", "info", "debug"};

    for (unsigned i = 0; i < 4; i++)
        if (gd_span_is(text, words[i])) {
            *out = (enum gd_log_level)i;
            return true;
        }
    return false;
}

static void load_areas(struct gd_loader *loader, const struct gd_yaml_node *map,
                       enum gd_log_level *levels)
{
    struct gd_words words;

    for (const struct gd_yaml_node *node = map->first; node; node = node->next) {
        unsigned area = 0;

        while (area < GD_LOG_AREAS &&
               !gd_span_is(node->key->text, gd_log_area_word((enum gd_log_area)area)))
            area++;
        if (area == GD_LOG_AREAS)
            gd_report_key(&loader->report, node,
                          "there is no such area; there are daemon, front, gather, "
                          "upstream, net, plan and base");
        else if (node->kind != GD_YAML_SCALAR || !level_of(node->text, &levels[area]))
            gd_report_value(&loader->report, node,
                            "expected error, warn, info or debug, found %s",
                            gd_words_found(&words, node));
    }
}

static void load_error(struct gd_loader *loader, const struct gd_draft_log *log,
                       struct gd_plan_log *out)
{
    struct gd_draft_error_log draft = {.level = log->level};
    const struct gd_yaml_node *node = log->error;

    out->error_place.kind = GD_LOG_STDERR;
    if (node && node->kind == GD_YAML_MAP) {
        gd_schema_read(&loader->report, GD_SECTION_ERROR_LOG, node, &draft);
        if (draft.to)
            load_place(loader, draft.to, &out->error_place);
    } else if (node) {
        load_place(loader, node, &out->error_place);
    }
    for (unsigned i = 0; i < GD_LOG_AREAS; i++)
        out->levels[i] = draft.level;
    if (draft.levels)
        load_areas(loader, draft.levels, out->levels);
}

/* The access log ------------------------------------------------------------------------
 */

/* The place of a header among those that are written, plus one; 0 with something said. */
static unsigned add_header(struct gd_loader *loader, const struct gd_yaml_node *node,
                           struct gd_span name, struct gd_plan_access_log *out)
{
    struct gd_span *headers = (struct gd_span *)out->headers;
    struct gd_words words;
    char *lower;

    if (!gd_is_token(name)) {
        gd_report_value(&loader->report, node, "%s is no name of a header field",
                        gd_words_quote(&words, name));
        return 0;
    }
    if (is_secret(name)) {
        gd_report_value(&loader->report, node, "%s is a secret and is never written",
                        gd_words_quote(&words, name));
        return 0;
    }
    for (unsigned i = 0; i < out->header_count; i++)
        if (gd_span_ieq(headers[i], name))
            return i + 1;
    if (out->header_count == GD_LOG_HEADERS_MAX) {
        gd_report_value(&loader->report, node, "at most %d header fields are written",
                        GD_LOG_HEADERS_MAX);
        return 0;
    }
    lower = gd_need(gd_arena_text(&loader->plan->arena, name));
    for (size_t i = 0; i < name.len; i++)
        if (lower[i] >= 'A' && lower[i] <= 'Z')
            lower[i] = (char)(lower[i] + ('a' - 'A'));
    headers[out->header_count] = (struct gd_span){lower, name.len};
    return ++out->header_count;
}

static bool compile_hole(struct gd_loader *loader, const struct gd_yaml_node *node,
                         struct gd_span name, struct gd_plan_access_log *out,
                         struct gd_log_piece *piece)
{
    struct gd_span header = GD_SPAN("header.");
    struct gd_words words;

    if (gd_span_starts(name, header)) {
        name = (struct gd_span){name.ptr + header.len, name.len - header.len};
        piece->header = add_header(loader, node, name, out);
        return piece->header != 0;
    }
    for (unsigned i = 0; i < GD_LOG_FIELDS; i++)
        if (gd_span_is(name, field_names[i])) {
            piece->field = (enum gd_log_field)i;
            return true;
        }
    return gd_report_value(&loader->report, node,
                           "a format has no %s; there are {time} {id} {ip} {peer} "
                           "{method} {host} {path} {query} {route} {status} {end} {in} "
                           "{out} {ms} {calls} and {header.NAME}",
                           gd_words_quote(&words, name));
}

/* Text up to the next brace; of a doubled one the first. */
static size_t literal_length(struct gd_span text)
{
    size_t len = 0;

    while (len < text.len && text.ptr[len] != '{' && text.ptr[len] != '}')
        len++;
    return len;
}

static bool compile_piece(struct gd_loader *loader, const struct gd_yaml_node *node,
                          struct gd_span *text, struct gd_plan_access_log *out,
                          struct gd_log_piece *piece)
{
    size_t len = literal_length(*text), used = len;
    const char *end;
    bool ok = true;

    *piece = (struct gd_log_piece){.text = {text->ptr, len}};
    if (len == 0 && text->len > 1 && text->ptr[1] == text->ptr[0]) {
        piece->text.len = 1;
        used = 2;
    } else if (len == 0) {
        end = *text->ptr == '{' ? memchr(text->ptr, '}', text->len) : NULL;
        if (end == NULL)
            return gd_report_value(&loader->report, node,
                                   "a brace stands alone; write {{ and }} for braces");
        used = (size_t)(end - text->ptr) + 1;
        piece->text = GD_SPAN_NONE;
        ok = compile_hole(loader, node, (struct gd_span){text->ptr + 1, used - 2}, out,
                          piece);
    }
    *text = (struct gd_span){text->ptr + used, text->len - used};
    return ok;
}

static void load_format(struct gd_loader *loader, const struct gd_yaml_node *node,
                        struct gd_plan_access_log *out)
{
    struct gd_span text = node->text;
    struct gd_log_piece *pieces;

    if (node->broken || gd_span_is(text, "json"))
        return;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' && text.ptr[i] != '\t') {
            gd_report_value(&loader->report, node, "a line of a log has no line ends");
            return;
        }
    if (text.len == 0 || memchr(text.ptr, '{', text.len) == NULL) {
        gd_report_value(&loader->report, node,
                        "expected json, or a text with placeholders like {status}");
        return;
    }
    text = gd_arena_copy(&loader->plan->arena, text);
    gd_need(text.ptr);
    pieces = gd_need(gd_arena_alloc(&loader->plan->arena, text.len * sizeof(*pieces)));
    out->pieces = pieces;
    while (text.len)
        if (!compile_piece(loader, node, &text, out, &pieces[out->piece_count++]))
            return;
}

static void load_headers(struct gd_loader *loader, const struct gd_yaml_node *list,
                         struct gd_plan_access_log *out)
{
    struct gd_words words;

    for (const struct gd_yaml_node *node = list->first; node; node = node->next)
        if (node->kind != GD_YAML_SCALAR)
            gd_report_value(&loader->report, node, "expected a name, found %s",
                            gd_words_found(&words, node));
        else if (add_header(loader, node, node->text, out) == 0)
            return;
}

static void load_access(struct gd_loader *loader, const struct gd_yaml_node *node,
                        struct gd_plan_access_log *out)
{
    struct gd_draft_access_log draft = {.to = node};

    gd_schema_defaults(GD_SECTION_ACCESS_LOG, &draft);
    if (node && node->kind == GD_YAML_MAP) {
        draft.to = NULL;
        gd_schema_read(&loader->report, GD_SECTION_ACCESS_LOG, node, &draft);
        if (draft.to == NULL)
            out->place.kind = GD_LOG_STDERR;
    }
    if (draft.to)
        load_place(loader, draft.to, &out->place);
    out->headers = gd_need(
        gd_arena_alloc(&loader->plan->arena, GD_LOG_HEADERS_MAX * sizeof(*out->headers)));
    if (draft.format)
        load_format(loader, draft.format, out);
    if (draft.headers)
        load_headers(loader, draft.headers, out);
    out->sample = draft.sample;
    out->query = draft.query;
    out->buffer = draft.buffer;
}

void gd_load_log(struct gd_loader *loader)
{
    const struct gd_draft_log *draft = &loader->top.log;
    struct gd_plan_log *out = &loader->plan->log;

    load_error(loader, draft, out);
    load_access(loader, draft->access, &out->access);
    out->slow_us = draft->slow_ms * UINT64_C(1000);
    out->recent = draft->recent;
}

/* Routes --------------------------------------------------------------------------------
 */

void gd_load_route_log(struct gd_loader *loader, const struct gd_yaml_node *node,
                       struct gd_plan_route_log *out)
{
    struct gd_draft_route_log draft = {.sample = loader->plan->log.access.sample};
    struct gd_words words;

    *out = (struct gd_plan_route_log){false, draft.sample};
    if (node == NULL)
        return;
    if (node->kind == GD_YAML_MAP) {
        gd_schema_read(&loader->report, GD_SECTION_ROUTE_LOG, node, &draft);
        out->sample = draft.sample;
    } else if (node->kind != GD_YAML_SCALAR || !node->plain ||
               !gd_value_bool(node->text, &out->off)) {
        gd_report_value(&loader->report, node, "expected %s, found %s",
                        gd_type_words(GD_TYPE_ACCESS), gd_words_found(&words, node));
    } else {
        out->off = !out->off;
    }
}
