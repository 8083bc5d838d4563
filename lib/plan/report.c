#include "plan/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "plan/text.h"
#include "plan/yamldoc.h"

enum { KEPT_MAX = 1000, PATH_MAX_BYTES = 600, LINE_MAX_BYTES = 1600, SHOWN_MAX = 120 };

struct gd_report_line {
    struct gd_place place;
    size_t order; /* of finding, so that sorting is stable */
    char *text;
};

unsigned gd_report_file(struct gd_report *report, const char *name)
{
    report->files =
        gd_realloc(report->files, (report->file_count + 1) * sizeof(*report->files));
    report->files[report->file_count] = gd_strdup(name);
    return report->file_count++;
}

static bool is_plain_key(struct gd_span key)
{
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return key.len > 0;
}

/* Shortens to SHOWN_MAX bytes, not in the middle of a character. */
static struct gd_span shown(struct gd_span text)
{
    if (text.len <= SHOWN_MAX)
        return text;
    text.len = SHOWN_MAX;
    while (text.len && ((unsigned char)text.ptr[text.len] & 0xc0) == 0x80)
        text.len--;
    return text;
}

const char *gd_words_quote(struct gd_words *words, struct gd_span text)
{
    struct gd_span part = shown(text);

    snprintf(words->text, sizeof(words->text), "\"%.*s%s\"", GD_SPAN_ARG(part),
             part.len < text.len ? "…" : "");
    return words->text;
}

const char *gd_words_found(struct gd_words *words, const struct gd_yaml_node *node)
{
    if (node->kind == GD_YAML_LIST)
        return "a list";
    if (node->kind == GD_YAML_MAP)
        return "a map";
    if (node->source) {
        struct gd_span part = shown(gd_span_of(node->source));

        snprintf(words->text, sizeof(words->text), "the value of \"%.*s\"",
                 GD_SPAN_ARG(part));
        return words->text;
    }
    if (gd_yaml_is_null(node))
        return "nothing";
    return gd_words_quote(words, node->text);
}

const char *gd_words_place(struct gd_words *words, const struct gd_report *report,
                           const struct gd_yaml_node *node)
{
    const struct gd_yaml_node *at = node->key ? node->key : node;

    snprintf(words->text, sizeof(words->text), "%s:%u:%u", report->files[at->file],
             at->line, at->col);
    return words->text;
}

static bool add_key(struct gd_buf *buf, struct gd_span key)
{
    struct gd_words words;

    if (is_plain_key(key))
        return gd_buf_add_span(buf, shown(key));
    return gd_buf_add_text(buf, gd_words_quote(&words, key));
}

static bool add_path(struct gd_buf *buf, const struct gd_yaml_node *node)
{
    if (node->up == NULL)
        return true;
    if (!add_path(buf, node->up))
        return false;
    if (node->key == NULL)
        return gd_buf_addf(buf, "[%u]", node->index);
    return (buf->len == 0 || gd_buf_add_text(buf, ".")) && add_key(buf, node->key->text);
}

/* Control characters of a file do not reach a terminal. */
static void make_printable(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

__attribute__((format(printf, 4, 0))) static void
report_add(struct gd_report *report, struct gd_place place, const char *path,
           const char *fmt, va_list args)
{
    char line[LINE_MAX_BYTES], *text;
    int len;

    if (place.line)
        len = snprintf(line, sizeof(line), "%s:%u:%u: %s%s", report->files[place.file],
                       place.line, place.col, path, *path ? ": " : "");
    else
        len = snprintf(line, sizeof(line), "%s: ", report->files[place.file]);
    if (len >= 0 && (size_t)len < sizeof(line))
        vsnprintf(line + len, sizeof(line) - (size_t)len, fmt, args);
    make_printable(line);
    /* What stands behind an anchor is read for each alias: it is said once. */
    if (gd_dict_get(&report->said, gd_span_of(line)))
        return;
    if (report->count == report->cap) {
        report->cap = report->cap ? report->cap * 2 : 16;
        report->lines = gd_realloc(report->lines, report->cap * sizeof(*report->lines));
    }
    report->lines[report->count] =
        (struct gd_report_line){place, report->count, gd_strdup(line)};
    text = report->lines[report->count].text;
    gd_dict_put(&report->said, gd_span_of(text), text);
    report->count++;
}

/* What comes when the report is full is counted only. */
static bool is_full(struct gd_report *report)
{
    if (report->count < KEPT_MAX)
        return false;
    report->dropped++;
    return true;
}

bool gd_report_place(struct gd_report *report, struct gd_place place, const char *fmt,
                     ...)
{
    va_list args;

    if (is_full(report))
        return false;
    va_start(args, fmt);
    report_add(report, place, "", fmt, args);
    va_end(args);
    return false;
}

__attribute__((format(printf, 4, 0))) static void
report_node(struct gd_report *report, const struct gd_yaml_node *node,
            struct gd_place place, const char *fmt, va_list args)
{
    struct gd_buf path;
    char text[PATH_MAX_BYTES + 4];
    bool whole;

    if (is_full(report))
        return;
    gd_buf_init(&path, NULL, PATH_MAX_BYTES);
    whole = add_path(&path, node);
    snprintf(text, sizeof(text), "%.*s%s", (int)path.len, path.data ? path.data : "",
             whole ? "" : "…");
    gd_buf_free(&path);
    report_add(report, place, text, fmt, args);
}

static struct gd_place place_of(const struct gd_yaml_node *node)
{
    return (struct gd_place){node->file, node->line, node->col};
}

bool gd_report_value(struct gd_report *report, const struct gd_yaml_node *node,
                     const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    report_node(report, node, place_of(node), fmt, args);
    va_end(args);
    return false;
}

bool gd_report_key(struct gd_report *report, const struct gd_yaml_node *node,
                   const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    report_node(report, node, place_of(node->key ? node->key : node), fmt, args);
    va_end(args);
    return false;
}

bool gd_report_inside(struct gd_report *report, const struct gd_yaml_node *node,
                      size_t offset, const char *fmt, ...)
{
    struct gd_place place = place_of(node);
    va_list args;

    if (node->verbatim && offset <= node->text.len)
        place.col += (unsigned)gd_text_chars((struct gd_span){node->text.ptr, offset}) +
                     (node->plain ? 0 : 1);
    va_start(args, fmt);
    report_node(report, node, place, fmt, args);
    va_end(args);
    return false;
}

bool gd_report_crowded(const struct gd_report *report)
{
    return report->count >= GD_REPORT_LINES;
}

bool gd_report_empty(const struct gd_report *report)
{
    return report->count == 0;
}

static int compare(unsigned a, unsigned b)
{
    return (a > b) - (a < b);
}

static int compare_lines(const void *left, const void *right)
{
    const struct gd_report_line *a = left, *b = right;
    int by = compare(a->place.file, b->place.file);

    if (by == 0)
        by = compare(a->place.line, b->place.line);
    if (by == 0)
        by = compare(a->place.col, b->place.col);
    return by ? by : (a->order > b->order) - (a->order < b->order);
}

void gd_report_finish(struct gd_report *report, struct gd_findings *findings)
{
    size_t total, shown_lines;

    *findings = (struct gd_findings){0};
    if (report->count == 0)
        return;
    qsort(report->lines, report->count, sizeof(*report->lines), compare_lines);
    total = report->count + report->dropped;
    shown_lines = report->count;
    if (total > GD_REPORT_LINES && shown_lines > GD_REPORT_LINES - 1)
        shown_lines = GD_REPORT_LINES - 1;
    findings->lines = gd_alloc_array(shown_lines + 1, sizeof(*findings->lines));
    for (size_t i = 0; i < shown_lines; i++) {
        findings->lines[i] = report->lines[i].text;
        report->lines[i].text = NULL;
    }
    findings->count = shown_lines;
    if (total > shown_lines) {
        char rest[128];

        snprintf(rest, sizeof(rest), "and %zu more errors that are not shown",
                 total - shown_lines);
        findings->lines[findings->count++] = gd_strdup(rest);
    }
}

void gd_report_free(struct gd_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        gd_free(report->lines[i].text);
    gd_free(report->lines);
    gd_dict_free(&report->said);
    for (unsigned i = 0; i < report->file_count; i++)
        gd_free(report->files[i]);
    gd_free(report->files);
    *report = (struct gd_report){0};
}

void gd_findings_free(struct gd_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        gd_free(findings->lines[i]);
    gd_free(findings->lines);
    *findings = (struct gd_findings){0};
}
