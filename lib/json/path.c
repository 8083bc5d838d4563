#include "json/path.h"

static bool is_name_char(char c)
{
    unsigned char byte = (unsigned char)c;

    return byte >= 0x80 || (byte >= '0' && byte <= '9') ||
           ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') || byte == '_' || byte == '-' ||
           byte == '$' || byte == '@';
}

static size_t name_length(struct gd_span text, size_t from)
{
    size_t at = from;

    while (at < text.len && is_name_char(text.ptr[at]))
        at++;
    return at - from;
}

/* The length of the quoted text that begins at from, with its quotes; 0 when it does not
 * end. */
static size_t quoted_length(struct gd_span text, size_t from)
{
    for (size_t at = from + 1; at < text.len; at++) {
        if (text.ptr[at] == '"')
            return at + 1 - from;
        at += text.ptr[at] == '\\';
    }
    return 0;
}

/* The length of the step in brackets that begins at from; 0 when it does not end. */
static size_t bracket_length(struct gd_span text, size_t from)
{
    size_t at = from + 1;

    if (at < text.len && text.ptr[at] == '"') {
        size_t quoted = quoted_length(text, at);

        at = quoted ? at + quoted : text.len;
    }
    while (at < text.len && text.ptr[at] != '[' && text.ptr[at] != '"') {
        if (text.ptr[at] == ']')
            return at + 1 - from;
        at++;
    }
    return 0;
}

size_t gd_json_path_length(struct gd_span text)
{
    size_t at = 0;

    while (at < text.len) {
        size_t len = 0;

        if (text.ptr[at] == '[')
            len = bracket_length(text, at);
        else if (text.ptr[at] == '.' && name_length(text, at + 1))
            len = 1 + name_length(text, at + 1);
        if (len == 0)
            break;
        at += len;
    }
    return at;
}

/* The text is read from `at`, while steps are put where there is room for the most. */
struct reader {
    struct gd_arena *arena;
    struct gd_span text;
    size_t at;
    struct gd_json_step *steps;
    unsigned count;
    struct gd_err *err;
};

static bool parse_no_memory(struct reader *r)
{
    return gd_err_set(r->err, "there is no memory for the path %.*s",
                      GD_SPAN_ARG(r->text));
}

static bool parse_name(struct reader *r, struct gd_json_step *step)
{
    size_t len = name_length(r->text, r->at);
    struct gd_span name = {r->text.ptr + r->at, len};

    if (len == 0 && r->at == r->text.len)
        return gd_err_set(r->err, "the path %.*s ends where a name is expected",
                          GD_SPAN_ARG(r->text));
    if (len == 0)
        return gd_err_set(
            r->err,
            "the path %.*s has no name before \"%.*s\"; other names than of "
            "letters, digits, _, -, $ and @ are written [\"...\"]",
            GD_SPAN_ARG(r->text), (int)(r->text.len - r->at), r->text.ptr + r->at);
    *step = (struct gd_json_step){.kind = GD_STEP_NAME,
                                  .name = gd_arena_copy(r->arena, name)};
    r->at += len;
    return step->name.ptr != NULL || parse_no_memory(r);
}

static bool parse_quoted(struct reader *r, struct gd_span quoted,
                         struct gd_json_step *step)
{
    char *copy = gd_arena_raw(r->arena, quoted.len);
    size_t len = 0;

    if (copy == NULL)
        return parse_no_memory(r);
    for (size_t i = 1; i + 1 < quoted.len; i++) {
        if (quoted.ptr[i] == '\\' && quoted.ptr[++i] != '"' && quoted.ptr[i] != '\\')
            return gd_err_set(
                r->err, "the path %.*s has \\%c; in names only \\\" and \\\\ are known",
                GD_SPAN_ARG(r->text), quoted.ptr[i]);
        copy[len++] = quoted.ptr[i];
    }
    *step = (struct gd_json_step){.kind = GD_STEP_NAME, .name = {copy, len}};
    return true;
}

static bool parse_bracket(struct reader *r, struct gd_json_step *step)
{
    size_t len = bracket_length(r->text, r->at);
    struct gd_span inner = {r->text.ptr + r->at + 1, len - 2};
    uint64_t index;

    if (len == 0)
        return gd_err_set(r->err, "the path %.*s has a [ that is not closed",
                          GD_SPAN_ARG(r->text));
    r->at += len;
    if (inner.len && *inner.ptr == '"' && quoted_length(inner, 0) == inner.len)
        return parse_quoted(r, inner, step);
    if (gd_span_is(inner, "*")) {
        *step = (struct gd_json_step){.kind = GD_STEP_ALL};
        return true;
    }
    if (!gd_span_u64(inner, &index) || index > UINT32_MAX)
        return gd_err_set(r->err,
                          "the path %.*s has [%.*s]; in brackets are a number from 0 on, "
                          "a name in quotes, or *",
                          GD_SPAN_ARG(r->text), GD_SPAN_ARG(inner));
    *step = (struct gd_json_step){.kind = GD_STEP_INDEX, .index = (uint32_t)index};
    return true;
}

static bool parse_step(struct reader *r)
{
    struct gd_json_step *step = &r->steps[r->count];

    if (r->count == GD_PATH_STEPS_MAX)
        return gd_err_set(r->err, "the path %.*s has more than %d steps",
                          GD_SPAN_ARG(r->text), GD_PATH_STEPS_MAX);
    r->count++;
    if (r->text.ptr[r->at] == '[')
        return parse_bracket(r, step);
    /* The dot in front of the first name may be left out. */
    r->at += r->text.ptr[r->at] == '.';
    return parse_name(r, step);
}

bool gd_json_path_parse(struct gd_arena *arena, struct gd_span text,
                        struct gd_json_path *path, struct gd_err *err)
{
    struct gd_json_step steps[GD_PATH_STEPS_MAX], *kept;
    struct reader r = {.arena = arena, .text = text, .steps = steps, .err = err};
    bool many = false;

    while (r.at < text.len) {
        /* Behind a step only a dot or a bracket begins another one. */
        if (r.count && text.ptr[r.at] != '.' && text.ptr[r.at] != '[')
            return gd_err_set(err, "the path %.*s has \"%c\" where a . or [ is expected",
                              GD_SPAN_ARG(text), text.ptr[r.at]);
        if (!parse_step(&r))
            return false;
        many = many || steps[r.count - 1].kind == GD_STEP_ALL;
    }
    kept = gd_arena_raw(arena, r.count * sizeof(*kept) + 1);
    if (kept == NULL)
        return parse_no_memory(&r);
    memcpy(kept, steps, r.count * sizeof(*kept));
    *path = (struct gd_json_path){kept, r.count, many};
    return true;
}

typedef bool visit_fn(void *arg, struct gd_json_value value);

static gd_node nth(const struct gd_tape *tape, gd_node array, uint32_t index)
{
    gd_node at = GD_NODE_NONE;

    if (gd_tape_kind(tape, array) == GD_JSON_ARRAY)
        at = gd_tape_first(tape, array);
    while (index-- && at != GD_NODE_NONE)
        at = gd_tape_next(tape, at);
    return at;
}

/* Takes the steps from `from` on; calls itself only at a [*], so at most
 * GD_PATH_STEPS_MAX deep. */
static bool each_from(const struct gd_json_path *path, unsigned from,
                      struct gd_json_value value, visit_fn *visit, void *arg)
{
    const struct gd_tape *tape = value.tape;
    gd_node node = value.node;

    for (unsigned i = from; i < path->count; i++) {
        const struct gd_json_step *step = &path->steps[i];

        if (step->kind == GD_STEP_NAME) {
            node = gd_tape_get(tape, node, step->name);
        } else if (step->kind == GD_STEP_INDEX) {
            node = nth(tape, node, step->index);
        } else {
            for (node = nth(tape, node, 0); node != GD_NODE_NONE;
                 node = gd_tape_next(tape, node))
                if (!each_from(path, i + 1, (struct gd_json_value){tape, node}, visit,
                               arg))
                    return false;
            return true;
        }
        if (node == GD_NODE_NONE)
            return true;
    }
    return visit(arg, (struct gd_json_value){tape, node});
}

bool gd_json_path_each(const struct gd_json_path *path, struct gd_json_value from,
                       visit_fn *visit, void *arg)
{
    return from.tape == NULL || each_from(path, 0, from, visit, arg);
}

static bool on_found(void *arg, struct gd_json_value value)
{
    *(struct gd_json_value *)arg = value;
    return false;
}

struct gd_json_value gd_json_path_find(const struct gd_json_path *path,
                                       struct gd_json_value from)
{
    struct gd_json_value found = {NULL, GD_NODE_NONE};

    (void)gd_json_path_each(path, from, on_found, &found);
    return found;
}
