/*
 * How fast JSON is checked, indexed and cut: over made-up documents in the shapes of
 * well-known ones. The same bytes every run.
 *
 *     bench_json                     the table: GB/s of both twins, GB/s of tapes and of
 *                                    picking a third of the names from a tape, and
 *                                    instructions a byte where the kernel counts them
 *     bench_json api scan 2000       one kind of work on one document 2000 times, for
 *                                    counting instructions: valgrind --tool=callgrind
 *                                    --toggle-collect=gd_json_scan … Other kinds are
 *                                    portable (gd_json_scan_portable), tape
 *                                    (gd_tape_build) and pick (gd_project)
 */
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "json/project.h"
#include "json/scan.h"

static uint64_t seed;

static unsigned draw(unsigned below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % below;
}

#define PICK(list) (list)[draw(sizeof(list) / sizeof((list)[0]))]

static const char *const words[] = {"gather",  "session", "of",  "many",
                                    "answers", "a",       "in",  "one",
                                    "quiet",   "reply",   "the", "river"};
static const char *const others[] = {"日本語", "の",     "文章です", "例え", "ば",
                                     "café",   "привет", "мир",      "😀"};

static void put(struct gd_buf *buf, const char *text)
{
    if (!gd_buf_add_text(buf, text))
        abort();
}

/* Puts text with each '~' as a number: below the next of the unsigned limits that follow,
 * and at least half of it. */
static void put_drawn(struct gd_buf *buf, const char *text, ...)
{
    va_list limits;

    va_start(limits, text);
    for (const char *p = text; *p; p++) {
        unsigned half = *p == '~' ? va_arg(limits, unsigned) / 2 : 0;

        if (!(*p == '~' ? gd_buf_add_u64(buf, half + draw(half)) : gd_buf_add(buf, p, 1)))
            abort();
    }
    va_end(limits);
}

static void put_sentence(struct gd_buf *buf, unsigned count, unsigned foreign_percent)
{
    while (count--) {
        put(buf, draw(100) < foreign_percent ? PICK(others) : PICK(words));
        put(buf, count ? " " : "");
    }
}

static void put_author(struct gd_buf *buf)
{
    put_drawn(buf, "    \"user\": {\n      \"id\": ~,\n      \"name\": \"", 1u << 31);
    put_sentence(buf, 2, 40);
    put_drawn(buf, "\",\n      \"screen_name\": \"gather_~\",\n      \"description\": \"",
              999u);
    put_sentence(buf, 4 + draw(16), 50);
    put_drawn(buf, "\",\n      \"url\": \"http:\\/\\/t.example\\/~\",\n", 1u << 31);
    put_drawn(buf, "      \"protected\": false,\n      \"followers_count\": ~,\n", 9000u);
    put_drawn(buf, "      \"friends_count\": ~,\n      \"utc_offset\": null,\n", 900u);
    put(buf, "      \"profile_background_color\": \"C0DEED\",\n");
    put(buf, "      \"profile_use_background_image\": true\n    },\n");
}

/* Short messages: indented objects, long names, foreign text, escapes. */
static void make_tweets(struct gd_buf *buf)
{
    put(buf, "{\n  \"statuses\": [\n");
    for (int left = 400; left--;) {
        put_drawn(buf, "  {\n    \"created_at\": \"Sun Aug 31 00:~:~ +0000 2014\",\n",
                  60u, 60u);
        put_drawn(buf, "    \"id_str\": \"5058749~\",\n    \"text\": \"@session ",
                  1u << 31);
        put_sentence(buf, 6 + draw(12), 60);
        put(buf, "\\n#tag \\u2026\",\n    \"truncated\": false,\n");
        put(buf, "    \"in_reply_to_status_id\": null,\n");
        put_author(buf);
        put(buf, "    \"entities\": {\n      \"hashtags\": [],\n      \"urls\": []\n"
                 "    },\n");
        put_drawn(buf, "    \"retweet_count\": ~,\n    \"lang\": \"ja\"\n  }", 100u);
        put(buf, left ? ",\n" : "\n");
    }
    put(buf, "  ]\n}\n");
}

/* A border: nothing but pairs of long numbers. */
static void make_border(struct gd_buf *buf)
{
    put(buf, "{\"type\":\"FeatureCollection\",\"features\":[{\"coordinates\":[");
    for (int ring = 40; ring--;) {
        put(buf, "[");
        for (int left = 600; left--;) {
            put_drawn(buf, "[-~.~~,~.~~]", 140u, 1000000u, 1000000000u, 80u, 1000000u,
                      1000000000u);
            put(buf, left ? "," : "");
        }
        put(buf, ring ? "]," : "]");
    }
    put(buf, "]}]}");
}

/* A catalogue: deep indentation, small objects, short integers. */
static void make_catalogue(struct gd_buf *buf)
{
    put(buf, "{\n    \"performances\": [\n");
    for (int left = 700; left--;) {
        put_drawn(buf, "        {\n            \"eventId\": ~,\n            \"id\": ~,\n",
                  270000000u, 680000000u);
        put(buf, "            \"logo\": null,\n            \"name\": null,\n"
                 "            \"prices\": [\n");
        for (int prices = 4; prices--;) {
            put_drawn(buf,
                      "                {\n                    \"amount\": ~000,\n"
                      "                    \"audienceSubCategoryId\": 337100890,\n"
                      "                    \"seatCategoryId\": 338~\n                }",
                      200u, 900000u);
            put(buf, prices ? ",\n" : "\n");
        }
        put(buf, "            ],\n            \"seatCategories\": [\n");
        for (int areas = 6; areas--;) {
            put_drawn(buf,
                      "                {\n                    \"areaId\": 2057~,\n"
                      "                    \"blockIds\": []\n                }",
                      90000u);
            put(buf, areas ? ",\n" : "\n");
        }
        put_drawn(buf,
                  "            ],\n            \"seatMapImage\": null,\n"
                  "            \"start\": 13726~000,\n"
                  "            \"venueCode\": \"PLEYEL_PLEYEL\"\n        }",
                  80000u);
        put(buf, left ? ",\n" : "\n");
    }
    put(buf, "    ]\n}\n");
}

/* What an upstream usually answers: about 1 KiB on one line. */
static void make_api(struct gd_buf *buf)
{
    put(buf,
        "{\"id\":\"5f0c6a4e-2b7d-4c5e-9a53-0d5b3c2f7a11\",\"login\":\"ada\",\"name\":"
        "\"Ada Lovelace\",\"email\":\"ada.lovelace@example.org\",\"avatarUrl\":"
        "\"https://images.example.org/avatars/48213.png?size=128\",\"active\":true,"
        "\"createdAt\":\"2024-03-01T10:22:31Z\",\"updatedAt\":\"2024-11-19T07:03:58Z\","
        "\"bio\":\"Writes programs for an engine that is not built yet.\",\"score\":87.5,"
        "\"manager\":null,\"address\":{\"street\":\"12 Long Lane\",\"city\":\"London\","
        "\"postalCode\":\"N1 9GU\",\"country\":\"GB\"},\"tags\":[\"maths\",\"engines\","
        "\"poetry\"],\"orders\":[");
    for (int left = 4; left--;) {
        put_drawn(buf,
                  "{\"orderId\":~,\"status\":\"shipped\",\"placedAt\":"
                  "\"2024-~-~T09:15:00Z\",\"items\":~,\"total\":~.~}",
                  90000u, 12u, 28u, 9u, 200u, 100u);
        put(buf, left ? "," : "");
    }
    put(buf, "],\"links\":{\"self\":\"/users/48213\",\"orders\":\"/users/48213/orders\"},"
             "\"unread\":0}");
}

/* The same size with hardly anything but names, small numbers and brackets. */
static void make_dense(struct gd_buf *buf)
{
    put(buf, "{\"orders\":[");
    for (int left = 14; left--;) {
        put_drawn(buf,
                  "{\"id\":~,\"sku\":\"AB-~\",\"quantity\":~,\"price\":~.~,"
                  "\"state\":\"open\"}",
                  90000u, 9000u, 9u, 200u, 100u);
        put(buf, left ? "," : "");
    }
    put(buf, "]}");
}

/* One document, and all that the kinds of work need. */
struct job {
    struct gd_span text;
    struct gd_blocks blocks;
    struct gd_tape tape;
    struct gd_arena rules;
    struct gd_projection *projection;
};

typedef void work_fn(struct job *job);

static void scan_once(struct job *job)
{
    struct gd_span value;

    if (!gd_json_scan(job->text, GD_JSON_DEPTH_MAX, &value, NULL))
        abort();
}

static void scan_portable_once(struct job *job)
{
    struct gd_span value;

    if (!gd_json_scan_portable(job->text, GD_JSON_DEPTH_MAX, &value, NULL))
        abort();
}

static void tape_once(struct job *job)
{
    if (!gd_tape_build(&job->tape, job->text))
        abort();
}

/* From a tape that is there. */
static void pick_once(struct job *job)
{
    struct gd_arena arena;
    struct gd_splice splice;

    gd_arena_init(&arena, &job->blocks, 4096, 16 << 20);
    gd_splice_init(&splice, &arena);
    if (!gd_project(job->projection, (struct gd_json_value){&job->tape, GD_NODE_ROOT},
                    &splice))
        abort();
    gd_arena_free(&arena);
}

static const struct {
    const char *name;
    work_fn *work;
} kinds[] = {
    {"scan", scan_once},
    {"portable", scan_portable_once},
    {"tape", tape_once},
    {"pick", pick_once},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The best of several rounds of about 20 ms: what the machine does undisturbed. */
static double gigabytes_per_s(work_fn *work, struct job *job)
{
    long count = 1 + 40000000 / (long)job->text.len;
    double best = 0;

    for (int round = 0; round < 7; round++) {
        double start = now_s(), took;

        for (long i = 0; i < count; i++)
            work(job);
        took = now_s() - start;
        if (took > 0 && (double)job->text.len * (double)count / took > best)
            best = (double)job->text.len * (double)count / took;
    }
    return best / 1e9;
}

/* The kernel's counter of instructions in user space; below 0 where there is none. */
static int open_counter(void)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof(attr),
        .config = PERF_COUNT_HW_INSTRUCTIONS,
        .exclude_kernel = 1,
        .exclude_hv = 1,
    };

    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static uint64_t count_of(int counter)
{
    uint64_t count = 0;

    if (read(counter, &count, sizeof(count)) != sizeof(count))
        abort();
    return count;
}

static void print_instructions(work_fn *work, struct job *job, int counter)
{
    uint64_t before;

    if (counter < 0) {
        printf(" %9s", "-");
        return;
    }
    before = count_of(counter);
    work(job);
    printf(" %9.2f", (double)(count_of(counter) - before) / (double)job->text.len);
}

static const struct {
    const char *name;
    void (*make)(struct gd_buf *buf);
    const char *picks; /* about a third of the names, with a blank between them */
} documents[] = {
    {"tweets", make_tweets,
     "statuses.id_str statuses.text statuses.user.name statuses.user.screen_name "
     "statuses.entities.urls statuses.lang"},
    {"border", make_border, "type features.coordinates"},
    {"catalogue", make_catalogue,
     "performances.eventId performances.name performances.prices.amount "
     "performances.seatCategories.areaId performances.start"},
    {"api", make_api,
     "login name avatarUrl address.city tags orders.orderId orders.total links.self"},
    {"dense", make_dense, "orders.id orders.price"},
};

static struct gd_projection *projection_of(struct gd_arena *arena, const char *picks)
{
    struct gd_json_path paths[16];
    struct gd_project_rules rules = {.pick = paths};

    while (*picks) {
        struct gd_span path = {picks, strcspn(picks, " ")};

        if (!gd_json_path_parse(arena, path, &paths[rules.pick_count++], NULL))
            abort();
        picks += path.len + (picks[path.len] == ' ');
    }
    return gd_projection_new(arena, &rules, NULL);
}

static void print_row(const char *name, struct job *job, int counter)
{
    printf("%-10s %9zu", name, job->text.len);
    for (size_t i = 0; i < KINDS; i++)
        printf(" %9.2f", gigabytes_per_s(kinds[i].work, job));
    for (size_t i = 0; i < KINDS; i++)
        if (kinds[i].work != scan_portable_once)
            print_instructions(kinds[i].work, job, counter);
    printf("\n");
}

static void run_times(struct job *job, const char *kind, long count)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].name, kind) == 0)
            for (long left = count; left > 0; left--)
                kinds[i].work(job);
    printf("%zu bytes\n", job->text.len);
}

static void run_document(size_t i, char **only, int counter)
{
    struct job job;
    struct gd_buf buf;

    if (only && strcmp(only[1], documents[i].name))
        return;
    gd_buf_init(&buf, NULL, 8 << 20);
    seed = 1;
    documents[i].make(&buf);
    gd_blocks_init(&job.blocks);
    gd_tape_init(&job.tape, &job.blocks, NULL);
    gd_arena_init(&job.rules, NULL, 4096, 65536);
    job.projection = projection_of(&job.rules, documents[i].picks);
    if (job.projection == NULL ||
        !gd_json_scan(gd_buf_span(&buf), GD_JSON_DEPTH_MAX, &job.text, NULL) ||
        !gd_tape_build(&job.tape, job.text))
        abort();
    if (only == NULL)
        print_row(documents[i].name, &job, counter);
    else
        run_times(&job, only[2], strtol(only[3], NULL, 10));
    gd_tape_free(&job.tape);
    gd_arena_free(&job.rules);
    gd_blocks_clear(&job.blocks);
    gd_buf_free(&buf);
}

int main(int argc, char **argv)
{
    int counter = open_counter();

    if (argc != 4)
        printf("%20s %39s %29s\n%-10s %9s %9s %9s %9s %9s %9s %9s %9s\n", "", "GB/s",
               "instructions a byte", "document", "bytes", "scan", "portable", "tape",
               "pick", "scan", "tape", "pick");
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
        run_document(i, argc == 4 ? argv : NULL, counter);
    return EXIT_SUCCESS;
}
