/*
 * Tapes, paths, projections, merges and joins against plain ones on values of jansson.
 *
 * An input is rules and up to three texts, with a byte 0x1e between them. Rules have a
 * ';' between them: +path picks, -path drops, =path>name renames; of other rules and of
 * all of them the path is looked up. The first two paths are the keys of a join.
 */
#include <stdlib.h>

#include "../compose_oracle.h"
#include "json/scan.h"

enum { TEXTS_MAX = 3, ARENA_MAX = 64 << 20 };

struct text {
    struct gd_tape tape;
    json_t *json;
    bool unique; /* no name stands twice in an object */
};

struct input {
    struct gd_arena arena;
    struct oracle_rules rules;
    struct text texts[TEXTS_MAX];
    unsigned count;
};

static void stop(const char *what)
{
    fprintf(stderr, "compose: %s\n", what);
    abort();
}

static void check(bool ok, const char *what)
{
    if (!ok)
        stop(what);
}

static json_t *load(struct gd_span text, size_t flags)
{
    return json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL | flags, NULL);
}

static struct gd_span until(struct gd_span *text, char stop_at)
{
    const char *end = text->len ? memchr(text->ptr, stop_at, text->len) : NULL;
    struct gd_span part = {text->ptr, end ? (size_t)(end - text->ptr) : text->len};

    text->ptr += part.len + (end != NULL);
    text->len -= part.len + (end != NULL);
    return part;
}

/* --- Tapes --- */

static json_t *string_of(const struct gd_tape *tape, gd_node node)
{
    struct gd_buf buf;
    json_t *string;

    gd_buf_init(&buf, NULL, tape->text.len);
    check(gd_tape_decode(tape, node, &buf), "a decoded string is longer than its text");
    check(
        gd_tape_string_is(tape, node, (struct gd_span){buf.len ? buf.data : "", buf.len}),
        "a string is not itself");
    string = json_stringn(buf.len ? buf.data : "", buf.len);
    gd_buf_free(&buf);
    return string;
}

static json_t *json_of(const struct gd_tape *tape, gd_node node);

static json_t *object_of(const struct gd_tape *tape, gd_node node)
{
    json_t *object = json_object();

    for (gd_node at = gd_tape_first(tape, node); at != GD_NODE_NONE;
         at = gd_tape_next_name(tape, at)) {
        json_t *name = string_of(tape, at),
               *value = json_of(tape, gd_tape_value(tape, at));
        struct gd_span text = {json_string_value(name), json_string_length(name)};

        check(gd_tape_get(tape, node, text) >= gd_tape_value(tape, at),
              "a name that is there is not found");
        check(json_object_set_new(object, json_string_value(name), value) == 0,
              "a name is not UTF-8");
        json_decref(name);
    }
    return object;
}

static json_t *json_of(const struct gd_tape *tape, gd_node node)
{
    json_t *value;

    switch (gd_tape_kind(tape, node)) {
    case GD_JSON_OBJECT:
        return object_of(tape, node);
    case GD_JSON_ARRAY:
        value = json_array();
        for (gd_node at = gd_tape_first(tape, node); at != GD_NODE_NONE;
             at = gd_tape_next(tape, at))
            json_array_append_new(value, json_of(tape, at));
        return value;
    case GD_JSON_STRING:
        return string_of(tape, node);
    case GD_JSON_NUMBER:
    case GD_JSON_NULL:
    case GD_JSON_FALSE:
    case GD_JSON_TRUE:
        break;
    }
    return load(gd_tape_text(tape, node), 0);
}

static void check_same(const struct gd_tape *a, const struct gd_tape *b, const char *what)
{
    check(a->count == b->count && a->text.ptr == b->text.ptr &&
              memcmp(a->words, b->words, a->count * sizeof(uint64_t)) == 0,
          what);
}

static void check_twins(const struct gd_tape *tape, struct gd_span bytes)
{
    struct gd_tape twin;
    struct gd_span value;

    gd_tape_init(&twin, NULL, NULL);
    check(gd_tape_build_portable(&twin, tape->text), "the twin has no memory");
    check_same(&twin, tape, "the twins differ");
    check(gd_tape_scan(&twin, bytes, GD_JSON_DEPTH_MAX, &value, NULL),
          "what is valid has no tape");
    if (!gd_tape_is_empty(&twin))
        check_same(&twin, tape, "a checked text has another tape");
    gd_tape_free(&twin);
}

static void add_text(struct input *input, struct gd_span bytes)
{
    struct text *text = &input->texts[input->count];
    struct gd_span value;
    json_t *walked, *unique;

    if (bytes.len == 0 || !gd_json_scan(bytes, GD_JSON_DEPTH_MAX, &value, NULL))
        return;
    gd_tape_init(&text->tape, NULL, NULL);
    check(gd_tape_build(&text->tape, value), "there is no memory");
    check_twins(&text->tape, bytes);
    text->json = load(value, 0);
    if (text->json == NULL) {
        gd_tape_free(&text->tape);
        return;
    }
    walked = json_of(&text->tape, GD_NODE_ROOT);
    check(json_equal(walked, text->json), "the tape has other values");
    json_decref(walked);
    unique = load(value, JSON_REJECT_DUPLICATES);
    text->unique = unique != NULL;
    json_decref(unique);
    input->count++;
}

/* --- What comes out --- */

/* Takes the expected value. ordered: members have to stand in the same order. */
static void check_result(struct gd_splice *splice, json_t *expected, bool ordered,
                         const char *what)
{
    struct gd_span flat = gd_splice_flat(splice), value;
    json_t *got;

    check(gd_json_scan(flat, GD_JSON_DEPTH_MAX, &value, NULL) || flat.len == 0, what);
    got = load(flat, 0);
    check(json_equal(got, expected), what);
    if (ordered) {
        char *a = json_dumps(got, JSON_ENCODE_ANY);
        char *b = json_dumps(expected, JSON_ENCODE_ANY);

        check((a == NULL && b == NULL) || strcmp(a, b) == 0, what);
        free(a);
        free(b);
    }
    json_decref(got);
    json_decref(expected);
}

static struct gd_json_value root_of(const struct text *text)
{
    return (struct gd_json_value){&text->tape, GD_NODE_ROOT};
}

/* --- Rules --- */

static bool is_plain(struct gd_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < ' ' || text.ptr[i] > '~')
            return false;
    return true;
}

static bool is_names_only(const struct gd_json_path *path)
{
    for (unsigned i = 0; i < path->count; i++)
        if (path->steps[i].kind != GD_STEP_NAME || !is_plain(path->steps[i].name))
            return false;
    return path->count > 0;
}

static bool on_value(void *arg, struct gd_json_value value)
{
    json_array_append_new(arg, json_of(value.tape, value.node));
    return true;
}

static void check_path(const struct gd_json_path *path, const struct text *text)
{
    json_t *got = json_array(), *expected = json_array();

    check(gd_json_path_each(path, root_of(text), on_value, got), "a path stops early");
    oracle_find(path, 0, text->json, expected);
    check(json_equal(got, expected), "a path finds other values");
    check((gd_json_path_find(path, root_of(text)).tape != NULL) ==
              (json_array_size(expected) > 0),
          "the first value of a path is not found");
    json_decref(got);
    json_decref(expected);
}

static void add_rule(struct input *input, struct gd_span text, struct gd_json_path *keys,
                     unsigned *key_count)
{
    char kind = text.len ? *text.ptr : '+';
    struct oracle_rule rule = {.to = "+-="};
    struct gd_span path, to;
    struct gd_err err;

    if (text.len && strchr(rule.to, kind)) {
        text.ptr++;
        text.len--;
    }
    path = until(&text, '>');
    to = text;
    check(gd_json_path_length(path) <= path.len, "a path is longer than its text");
    if (!gd_json_path_parse(&input->arena, path, &rule.path, &err))
        return;
    for (unsigned i = 0; i < input->count; i++)
        check_path(&rule.path, &input->texts[i]);
    if (*key_count < 2)
        keys[(*key_count)++] = rule.path;
    rule.kind = kind == '-' ? ORACLE_DROP : kind == '=' ? ORACLE_RENAME : ORACLE_PICK;
    rule.to = gd_arena_text(&input->arena, to);
    if (is_names_only(&rule.path) && is_plain(to) &&
        input->rules.count < ORACLE_RULES_MAX)
        input->rules.rules[input->rules.count++] = rule;
}

static void check_projection(struct input *input)
{
    struct gd_json_path picks[ORACLE_RULES_MAX], drops[ORACLE_RULES_MAX];
    struct gd_rename renames[ORACLE_RULES_MAX];
    struct gd_project_rules rules = {.pick = picks, .drop = drops, .rename = renames};
    struct gd_projection *projection;
    bool contradict = false;
    struct gd_err err;

    for (unsigned i = 0; i < input->rules.count; i++) {
        const struct oracle_rule *rule = &input->rules.rules[i];

        if (rule->kind == ORACLE_PICK)
            picks[rules.pick_count++] = rule->path;
        else if (rule->kind == ORACLE_DROP)
            drops[rules.drop_count++] = rule->path;
        else
            renames[rules.rename_count++] =
                (struct gd_rename){rule->path, gd_span_of(rule->to)};
        for (unsigned k = 0; k < input->rules.count; k++)
            contradict =
                contradict || (i != k && oracle_contradict(rule, &input->rules.rules[k]));
    }
    input->rules.picking = rules.pick_count > 0;
    projection = gd_projection_new(&input->arena, &rules, &err);
    check((projection == NULL) == contradict, "rules contradict each other, or do not");
    for (unsigned i = 0; projection && i < input->count; i++) {
        struct gd_splice splice;

        gd_splice_init(&splice, &input->arena);
        check(gd_project(projection, root_of(&input->texts[i]), &splice),
              "a projection has no memory");
        check_result(&splice, oracle_project(&input->rules, input->texts[i].json),
                     input->texts[i].unique, "a projection differs");
    }
}

/* --- Merges and joins --- */

static void check_merge(struct input *input, bool deep, enum gd_conflict conflict)
{
    struct gd_merge merge = {.deep = deep, .conflict = conflict};
    struct gd_json_value values[TEXTS_MAX];
    json_t *expected = json_object();
    enum gd_merge_result result;
    unsigned count = 0, collisions = 0;
    bool unique = true, ok = true;
    struct gd_splice splice;

    for (unsigned i = 0; i < input->count; i++) {
        if (!json_is_object(input->texts[i].json))
            continue;
        values[count++] = root_of(&input->texts[i]);
        ok = ok && oracle_merge(expected, input->texts[i].json, &merge, &collisions);
        unique = unique && input->texts[i].unique;
    }
    gd_splice_init(&splice, &input->arena);
    result = gd_merge_objects(&merge, values, count, &splice);
    check(result == (ok ? GD_MERGE_OK : GD_MERGE_CONFLICT), "a merge ends otherwise");
    check((merge.collisions > 0) == (collisions > 0), "collisions differ");
    check((merge.clashed.ptr != NULL) == (collisions > 0), "no name collided");
    if (ok)
        check_result(&splice, json_incref(expected), unique, "a merge differs");
    json_decref(expected);
}

static void check_concat(struct input *input)
{
    struct gd_json_value values[TEXTS_MAX];
    json_t *expected = json_array();
    struct gd_splice splice;

    for (unsigned i = 0; i < input->count; i++) {
        values[i] = root_of(&input->texts[i]);
        if (!json_is_null(input->texts[i].json))
            oracle_extend(expected, input->texts[i].json);
    }
    gd_splice_init(&splice, &input->arena);
    check(gd_concat_lists(values, input->count, &splice), "a list has no memory");
    check_result(&splice, expected, false, "a list differs");
}

static json_t *joined(json_t *element, const char *key,
                      const struct gd_json_path *right_key, json_t *right, bool *known)
{
    json_t *copy = json_deep_copy(element), *other;
    char text[256];
    bool is_key;
    size_t i;

    json_object_del(copy, "as");
    json_array_foreach(right, i, other)
    {
        *known = oracle_key(right_key, other, text, sizeof(text), &is_key) && *known;
        if (is_key && strcmp(text, key) == 0) {
            json_object_set(copy, "as", other);
            return copy;
        }
    }
    json_object_set_new(copy, "as", json_null());
    return copy;
}

static void check_join(struct input *input, const struct gd_json_path *keys)
{
    const struct text *left = &input->texts[0], *right = &input->texts[1];
    struct gd_join join = {
        .left_key = &keys[0], .right_key = &keys[1], .as = GD_SPAN("as")};
    json_t *expected = json_array(), *element;
    bool known = true;
    struct gd_splice splice;
    size_t i;

    gd_splice_init(&splice, &input->arena);
    check(gd_join_lists(&join, root_of(left), root_of(right), &splice),
          "a join has no memory");
    json_array_foreach(left->json, i, element)
    {
        char text[256];
        bool is_key;

        known = oracle_key(&keys[0], element, text, sizeof(text), &is_key) && known;
        json_array_append_new(expected,
                              is_key && json_is_object(element)
                                  ? joined(element, text, &keys[1], right->json, &known)
                                  : json_incref(element));
    }
    if (json_is_array(left->json) && known)
        check_result(&splice, json_incref(expected), false, "a join differs");
    json_decref(expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gd_span rest = {(const char *)data, size};
    struct gd_span rules = until(&rest, 0x1e);
    struct gd_json_path keys[2];
    struct input input = {.count = 0};
    unsigned key_count = 0;

    gd_arena_init(&input.arena, NULL, 4096, ARENA_MAX);
    while (rest.len && input.count < TEXTS_MAX)
        add_text(&input, until(&rest, 0x1e));
    for (unsigned i = 0; rules.len && i < ORACLE_RULES_MAX; i++)
        add_rule(&input, until(&rules, ';'), keys, &key_count);
    check_projection(&input);
    for (int i = 0; i < 8; i++)
        check_merge(&input, i % 2, (enum gd_conflict)(i / 2));
    check_concat(&input);
    if (key_count == 2 && input.count >= 2)
        check_join(&input, keys);
    for (unsigned i = 0; i < input.count; i++) {
        json_decref(input.texts[i].json);
        gd_tape_free(&input.texts[i].tape);
    }
    gd_arena_free(&input.arena);
    return 0;
}
