/* What references stand for, when many calls mention the same. */
#include <stdio.h>
#include <time.h>

#include "plan/values.h"
#include "suite.h"

enum { MEMBERS = 60000, LOOKS = 200 };

struct rig {
    struct gd_arena arena;
    struct gd_names names;
    struct gd_span calls[2];
    struct gd_yield yields[2];
    struct gd_values values;
    struct gd_buf text;
};

static void open_rig(struct rig *rig)
{
    *rig = (struct rig){.calls = {GD_SPAN("big"), GD_SPAN("small")}};
    gd_arena_init(&rig->arena, NULL, 4096, 1 << 24);
    gd_buf_init(&rig->text, NULL, 1 << 24);
    ck_assert(gd_buf_add_text(&rig->text, "{\"m\":{\"a\":[1,2]}"));
    for (int i = 0; i < MEMBERS; i++)
        ck_assert(gd_buf_addf(&rig->text, ",\"k%d\":%d", i, i));
    ck_assert(gd_buf_add_text(&rig->text, "}"));
    rig->names = (struct gd_names){.calls = rig->calls, .call_count = 2, .item = true};
    for (int i = 0; i < 2; i++)
        gd_tape_init(&rig->yields[i].whole.tape, NULL, NULL);
    rig->yields[0].whole.text = gd_buf_span(&rig->text);
    rig->yields[1].whole.text = GD_SPAN("{\"m\":{\"a\":7},\"k59999\":\"x\"}");
    rig->values.yields = rig->yields;
}

static void close_rig(struct rig *rig)
{
    for (int i = 0; i < 2; i++)
        gd_doc_free(&rig->yields[i].whole);
    gd_buf_free(&rig->text);
    gd_arena_free(&rig->arena);
}

static struct gd_ref ref_of(struct rig *rig, const char *text)
{
    struct gd_span span = gd_span_of(text);
    struct gd_ref ref;
    struct gd_err err;

    ck_assert_msg(gd_ref_parse(&rig->arena, span, span, &rig->names, &ref, &err), "%s",
                  err.text);
    return ref;
}

static const char *shown(struct rig *rig, const struct gd_ref *ref)
{
    static char room[64];
    struct gd_found found = gd_values_find(&rig->values, ref);
    struct gd_span text = GD_SPAN("-");

    if (found.kind == GD_FOUND_JSON)
        text = gd_tape_text(found.json.tape, found.json.node);
    snprintf(room, sizeof(room), "%.*s", GD_SPAN_ARG(text));
    return room;
}

static double cpu_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static double looks_ms(struct rig *rig, const struct gd_ref *ref)
{
    double start = cpu_ms();

    for (int i = 0; i < LOOKS; i++)
        ck_assert_str_eq(shown(rig, ref), "59999");
    return cpu_ms() - start;
}

START_TEST(what_was_looked_up_is_not_looked_up_again)
{
    struct rig rig;
    struct gd_seen seen = {.count = 0};
    struct gd_ref ref;
    double each_time, once;

    open_rig(&rig);
    ref = ref_of(&rig, "big.k59999");
    ck_assert_str_eq(shown(&rig, &ref), "59999"); /* makes the index */
    each_time = looks_ms(&rig, &ref);
    rig.values.seen = &seen;
    once = looks_ms(&rig, &ref);
    ck_assert_msg(once * 10 < each_time, "%.3f ms against %.3f", once, each_time);
    close_rig(&rig);
}
END_TEST

START_TEST(each_reference_has_its_own_value)
{
    static const char *const texts[][2] = {
        {"big.k1", "1"},           {"big.m", "{\"a\":[1,2]}"}, {"big.m.a", "[1,2]"},
        {"big.m.a[1]", "2"},       {"big.none", "-"},          {"small.m.a", "7"},
        {"small.k59999", "\"x\""}, {"small.m.a.b", "-"},       {"big.m.a[9]", "-"},
    };
    enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };
    struct rig rig;
    struct gd_seen seen = {.count = 0};
    struct gd_ref refs[3 * TEXTS];

    open_rig(&rig);
    rig.values.seen = &seen;
    /* more than are kept, each twice */
    for (int i = 0; i < 3 * TEXTS; i++)
        refs[i] = ref_of(&rig, texts[i % TEXTS][0]);
    for (int turn = 0; turn < 2; turn++)
        for (int i = 0; i < 3 * TEXTS; i++)
            ck_assert_str_eq(shown(&rig, &refs[i]), texts[i % TEXTS][1]);
    close_rig(&rig);
}
END_TEST

START_TEST(the_item_is_another_one_each_time)
{
    struct rig rig;
    struct gd_seen seen = {.count = 0};
    struct gd_ref ref;

    open_rig(&rig);
    ref = ref_of(&rig, "item.a");
    rig.values.seen = &seen;
    for (int i = 0; i < 2; i++) {
        struct gd_doc *doc = &rig.yields[i].whole;

        ck_assert(gd_doc_index(doc));
        rig.values.item = (struct gd_json_value){
            &doc->tape, gd_tape_get(&doc->tape, doc->root, GD_SPAN("m"))};
        ck_assert_str_eq(shown(&rig, &ref), i == 0 ? "[1,2]" : "7");
    }
    close_rig(&rig);
}
END_TEST

GD_SUITE("values", what_was_looked_up_is_not_looked_up_again,
         each_reference_has_its_own_value, the_item_is_another_one_each_time)
