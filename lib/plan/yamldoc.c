#include "plan/yamldoc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "plan/expand.h"
#include "plan/dict.h"
#include "plan/text.h"
#include "plan/yamlwords.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* What is open at one depth. */
struct level {
    struct gd_yaml_node *node;
    struct gd_yaml_node *key; /* read, its value not yet */
};

struct parse {
    struct gd_yaml *yaml;
    unsigned file;
    struct gd_span text;
    yaml_parser_t parser;
    struct gd_dict anchors;
    struct level open[GD_YAML_DEPTH_MAX];
    unsigned depth; /* levels open */
    unsigned documents;
    struct gd_yaml_node *root;
};

void gd_yaml_init(struct gd_yaml *yaml, struct gd_report *report,
                  const struct gd_load_options *options)
{
    *yaml = (struct gd_yaml){.report = report, .options = options};
    /* Bounded by what is counted: nodes, text and the sizes of files. */
    gd_arena_init(&yaml->arena, NULL, 65536, SIZE_MAX / 2);
}

void gd_yaml_free(struct gd_yaml *yaml)
{
    gd_arena_free(&yaml->arena);
}

bool gd_yaml_is_null(const struct gd_yaml_node *node)
{
    return node->kind == GD_YAML_SCALAR && node->plain && !node->source &&
           (node->text.len == 0 || gd_span_is(node->text, "~") ||
            gd_span_is(node->text, "null") || gd_span_is(node->text, "Null") ||
            gd_span_is(node->text, "NULL"));
}

const struct gd_yaml_node *gd_yaml_get(const struct gd_yaml_node *node, const char *key)
{
    if (node->kind != GD_YAML_MAP)
        return NULL;
    for (const struct gd_yaml_node *value = node->first; value; value = value->next)
        if (gd_span_is(value->key->text, key))
            return value;
    return NULL;
}

static struct gd_place place_of(const struct parse *p, yaml_mark_t mark)
{
    return (struct gd_place){p->file, (unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

#define REFUSE(p, mark, ...)                                                             \
    gd_report_place((p)->yaml->report, place_of((p), (mark)), __VA_ARGS__)

/* Counts what has become part of the tree. */
static bool count(struct parse *p, yaml_mark_t mark, unsigned nodes, unsigned bytes)
{
    p->yaml->nodes += nodes;
    p->yaml->bytes += bytes;
    if (p->yaml->nodes > GD_YAML_NODES_MAX)
        return REFUSE(p, mark,
                      "the configuration has more than %d values, counting what aliases "
                      "stand for",
                      GD_YAML_NODES_MAX);
    if (p->yaml->bytes > GD_YAML_TEXT_MAX)
        return REFUSE(p, mark,
                      "the configuration has more than %d MiB of text, counting what "
                      "aliases stand for",
                      GD_YAML_TEXT_MAX >> 20);
    return true;
}

static struct gd_yaml_node *node_new(struct parse *p, const yaml_event_t *event,
                                     enum gd_yaml_kind kind)
{
    struct gd_yaml_node *node = gd_arena_alloc(&p->yaml->arena, sizeof(*node));

    if (node == NULL || !count(p, event->start_mark, 1, 0))
        return NULL;
    node->kind = kind;
    node->file = (uint16_t)p->file;
    node->line = (unsigned)event->start_mark.line + 1;
    node->col = (unsigned)event->start_mark.column + 1;
    node->nodes = 1;
    return node;
}

static bool key_allowed(struct parse *p, const yaml_event_t *event,
                        const struct gd_yaml_node *node)
{
    if (node->kind != GD_YAML_SCALAR)
        return REFUSE(p, event->start_mark,
                      "a key must be text, found %s; a text that starts with %s needs "
                      "quotes",
                      node->kind == GD_YAML_LIST ? "a list" : "a map",
                      node->kind == GD_YAML_LIST ? "[" : "{");
    if (node->plain && gd_span_is(node->text, "<<"))
        return REFUSE(p, event->start_mark,
                      "merge keys (<<) are not supported; use `defaults`, or an alias "
                      "for the whole value");
    return true;
}

/* Gives the node its place in the tree: root, key, value or item. */
static bool attach(struct parse *p, const yaml_event_t *event, struct gd_yaml_node *node)
{
    struct level *level = p->depth ? &p->open[p->depth - 1] : NULL;
    struct gd_yaml_node *parent = level ? level->node : NULL;

    if (p->depth + node->height + (node->kind != GD_YAML_SCALAR) > GD_YAML_DEPTH_MAX)
        return REFUSE(p, event->start_mark, "nested deeper than %d levels",
                      GD_YAML_DEPTH_MAX);
    node->up = parent;
    if (parent == NULL) {
        p->root = node;
        return true;
    }
    if (parent->kind == GD_YAML_MAP && level->key == NULL) {
        level->key = node;
        return key_allowed(p, event, node);
    }
    node->key = level->key;
    level->key = NULL;
    node->index = parent->count++;
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return true;
}

/* A complete value adds to what its parent stands for. */
static void close_value(struct parse *p, const struct gd_yaml_node *node)
{
    struct gd_yaml_node *parent = p->depth ? p->open[p->depth - 1].node : NULL;

    if (parent == NULL)
        return;
    parent->nodes += node->nodes;
    parent->bytes += node->bytes;
    if (parent->height <= node->height)
        parent->height = (uint8_t)(node->height + (node->kind != GD_YAML_SCALAR));
}

static void anchor_set(struct parse *p, const yaml_char_t *anchor,
                       struct gd_yaml_node *node)
{
    struct gd_span name;

    if (anchor == NULL)
        return;
    name = gd_arena_copy(&p->yaml->arena, gd_span_of((const char *)anchor));
    if (name.ptr)
        gd_dict_put(&p->anchors, name, node);
}

static bool tag_allowed(struct parse *p, const yaml_event_t *event,
                        const yaml_char_t *tag)
{
    return tag == NULL ||
           REFUSE(p, event->start_mark, "tags (%s) are not supported", (const char *)tag);
}

static bool on_scalar(struct parse *p, const yaml_event_t *event)
{
    struct gd_span text = {(const char *)event->data.scalar.value,
                           event->data.scalar.length};
    struct gd_yaml_node *node;
    bool is_key;

    if (!tag_allowed(p, event, event->data.scalar.tag))
        return false;
    if (text.len && memchr(text.ptr, '\0', text.len))
        return REFUSE(p, event->start_mark, "a NUL character cannot stand in text");
    node = node_new(p, event, GD_YAML_SCALAR);
    if (node == NULL)
        return false;
    node->text = gd_arena_copy(&p->yaml->arena, text);
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->verbatim = event->end_mark.index - event->start_mark.index ==
                     gd_text_chars(text) + (node->plain ? 0 : 2);
    anchor_set(p, event->data.scalar.anchor, node);
    if (!attach(p, event, node))
        return false;
    is_key = p->depth && p->open[p->depth - 1].key == node;
    if (!is_key)
        gd_expand(p->yaml, node);
    node->bytes = (unsigned)node->text.len;
    if (!count(p, event->start_mark, 0, node->bytes))
        return false;
    close_value(p, node);
    return true;
}

static bool on_start(struct parse *p, const yaml_event_t *event, enum gd_yaml_kind kind)
{
    bool list = kind == GD_YAML_LIST;
    struct gd_yaml_node *node;

    if (!tag_allowed(p, event,
                     list ? event->data.sequence_start.tag
                          : event->data.mapping_start.tag))
        return false;
    node = node_new(p, event, kind);
    if (node == NULL || !attach(p, event, node))
        return false;
    anchor_set(
        p, list ? event->data.sequence_start.anchor : event->data.mapping_start.anchor,
        node);
    p->open[p->depth++] = (struct level){.node = node};
    return true;
}

static bool on_alias(struct parse *p, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    const struct gd_yaml_node *target = gd_dict_get(&p->anchors, gd_span_of(name));
    struct gd_yaml_node copy, *node;

    if (target == NULL)
        return REFUSE(p, event->start_mark, "there is no anchor &%s before this alias",
                      name);
    for (unsigned i = 0; i < p->depth; i++)
        if (p->open[i].node == target)
            return REFUSE(p, event->start_mark,
                          "the alias *%s stands inside of what it names", name);
    node = node_new(p, event, target->kind);
    if (node == NULL || !count(p, event->start_mark, target->nodes - 1, target->bytes))
        return false;
    copy = *target;
    copy.line = node->line;
    copy.col = node->col;
    copy.file = node->file;
    copy.verbatim = false;
    copy.key = copy.next = NULL;
    *node = copy;
    if (!attach(p, event, node))
        return false;
    close_value(p, node);
    return true;
}

static void check_keys(struct parse *p, const struct gd_yaml_node *map)
{
    struct gd_dict seen = {0};

    for (struct gd_yaml_node *value = map->first; value; value = value->next) {
        const struct gd_yaml_node *first = gd_dict_get(&seen, value->key->text);
        struct gd_words words;

        if (first)
            gd_report_key(p->yaml->report, value, "this key stands twice, first at %s",
                          gd_words_place(&words, p->yaml->report, first));
        else
            gd_dict_put(&seen, value->key->text, value);
    }
    gd_dict_free(&seen);
}

static bool on_end(struct parse *p)
{
    struct gd_yaml_node *node = p->open[--p->depth].node;

    if (node->kind == GD_YAML_MAP)
        check_keys(p, node);
    close_value(p, node);
    return true;
}

static bool on_document(struct parse *p, const yaml_event_t *event)
{
    if (p->documents++ == 0)
        return true;
    return REFUSE(p, event->start_mark,
                  "a second document starts here; a file holds one");
}

static bool on_event(struct parse *p, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(p, event);
    case YAML_ALIAS_EVENT:
        return on_alias(p, event);
    case YAML_SEQUENCE_START_EVENT:
        return on_start(p, event, GD_YAML_LIST);
    case YAML_MAPPING_START_EVENT:
        return on_start(p, event, GD_YAML_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_end(p);
    case YAML_DOCUMENT_START_EVENT:
        return on_document(p, event);
    case YAML_DOCUMENT_END_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_NO_EVENT:
        break;
    }
    return true;
}

static bool parse_events(struct parse *p)
{
    bool more = true;

    while (more) {
        yaml_event_t event;
        bool ok;

        if (!yaml_parser_parse(&p->parser, &event)) {
            gd_yaml_say_problem(p->yaml->report, p->file, p->text, &p->parser);
            return false;
        }
        more = event.type != YAML_STREAM_END_EVENT;
        ok = on_event(p, &event);
        yaml_event_delete(&event);
        if (!ok)
            return false;
    }
    return true;
}

static const struct gd_yaml_node *check_root(struct parse *p)
{
    struct gd_place start = {p->file, 1, 1};
    struct gd_words words;

    if (p->root == NULL || gd_yaml_is_null(p->root)) {
        gd_report_place(p->yaml->report, start, "the file is empty");
        return NULL;
    }
    if (p->root->kind == GD_YAML_MAP)
        return p->root;
    gd_report_value(p->yaml->report, p->root,
                    "the file must be a map of options (`key: value`), found %s",
                    gd_words_found(&words, p->root));
    return NULL;
}

const struct gd_yaml_node *gd_yaml_parse(struct gd_yaml *yaml, unsigned file,
                                         struct gd_span text)
{
    struct parse p = {.yaml = yaml, .file = file};
    const struct gd_yaml_node *root = NULL;
    size_t valid;

    /* Some editors begin a file with a mark that nobody sees; it is no column either. */
    if (gd_span_starts(text, GD_SPAN(BYTE_ORDER_MARK)))
        text = (struct gd_span){text.ptr + strlen(BYTE_ORDER_MARK),
                                text.len - strlen(BYTE_ORDER_MARK)};
    p.text = text;
    valid = gd_text_utf8(text);

    if (valid < text.len) {
        gd_report_place(yaml->report, gd_text_place(file, text, valid),
                        "the file is not UTF-8 text");
        return NULL;
    }
    if (!yaml_parser_initialize(&p.parser)) {
        gd_report_place(yaml->report, (struct gd_place){.file = file}, "out of memory");
        return NULL;
    }
    yaml_parser_set_encoding(&p.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p.parser, (const unsigned char *)text.ptr, text.len);
    if (parse_events(&p))
        root = check_root(&p);
    yaml_parser_delete(&p.parser);
    gd_dict_free(&p.anchors);
    return root;
}

static bool read_all(int fd, size_t max_bytes, struct gd_buf *buf, struct gd_err *err)
{
    for (;;) {
        ssize_t n;

        if (buf->len == buf->max)
            return gd_err_set(err, "is larger than %zu KiB", max_bytes / 1024);
        if (!gd_buf_reserve(buf, 1))
            return gd_err_set(err, "cannot be read: out of memory");
        n = read(fd, buf->data + buf->len,
                 buf->cap - buf->len < buf->max - buf->len ? buf->cap - buf->len
                                                           : buf->max - buf->len);
        if (n == 0)
            return true;
        if (n < 0 && errno != EINTR)
            return gd_err_errno(err, "cannot be read");
        buf->len += n > 0 ? (size_t)n : 0;
    }
}

bool gd_yaml_read(const char *path, bool pipes, size_t max_bytes, struct gd_buf *buf,
                  struct gd_err *err)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | (pipes ? 0 : O_NONBLOCK));
    bool ok;

    if (fd < 0)
        return gd_err_errno(err, "cannot be opened");
    buf->max = max_bytes + 1;
    if (fstat(fd, &info) != 0)
        ok = gd_err_errno(err, "cannot be read");
    else if (S_ISDIR(info.st_mode))
        ok = gd_err_set(err, "is a directory");
    else if (!pipes && !S_ISREG(info.st_mode))
        ok = gd_err_set(err, "is no regular file");
    else if (S_ISREG(info.st_mode) && (uintmax_t)info.st_size > max_bytes)
        ok = gd_err_set(err, "is larger than %zu KiB", max_bytes / 1024);
    else if (!gd_buf_reserve(buf,
                             S_ISREG(info.st_mode) ? (size_t)info.st_size + 1 : 4096))
        ok = gd_err_set(err, "cannot be read: out of memory");
    else
        ok = read_all(fd, max_bytes, buf, err);
    close(fd);
    return ok;
}
