/*
 * How fast JSON is checked: GB/s of both twins over made-up documents in the shapes of
 * well-known ones. The same bytes every run.
 *
 *     bench_json                     the table
 *     bench_json api vector 2000     2000 scans of one document, for counting
 *                                    instructions: valgrind --tool=callgrind
 *                                    --toggle-collect=gd_json_scan …
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

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

#define PUTF(buf, ...)                                                                   \
    do {                                                                                 \
        if (!gd_buf_addf(buf, __VA_ARGS__))                                              \
            abort();                                                                     \
    } while (0)

static void put_sentence(struct gd_buf *buf, unsigned count, unsigned foreign_percent)
{
    while (count--) {
        put(buf, draw(100) < foreign_percent ? PICK(others) : PICK(words));
        put(buf, count ? " " : "");
    }
}

static void put_author(struct gd_buf *buf)
{
    PUTF(buf, "    \"user\": {\n      \"id\": %u,\n      \"name\": \"", draw(1u << 31));
    put_sentence(buf, 2, 40);
    PUTF(buf, "\",\n      \"screen_name\": \"%s_%u\",\n", PICK(words), draw(1000));
    put(buf, "      \"description\": \"");
    put_sentence(buf, 4 + draw(16), 50);
    PUTF(buf, "\",\n      \"url\": \"http:\\/\\/t.example\\/%u\",\n", draw(1u << 31));
    PUTF(buf, "      \"protected\": false,\n      \"followers_count\": %u,\n",
         draw(9000));
    PUTF(buf, "      \"friends_count\": %u,\n      \"utc_offset\": null,\n", draw(900));
    put(buf, "      \"profile_background_color\": \"C0DEED\",\n");
    put(buf, "      \"profile_use_background_image\": true\n    },\n");
}

/* Short messages: indented objects, long names, foreign text, escapes. */
static void make_tweets(struct gd_buf *buf)
{
    put(buf, "{\n  \"statuses\": [\n");
    for (int left = 400; left--;) {
        PUTF(buf, "  {\n    \"created_at\": \"Sun Aug 31 00:%02u:%02u +0000 2014\",\n",
             draw(60), draw(60));
        PUTF(buf, "    \"id_str\": \"5058749%u\",\n    \"text\": \"@%s ", draw(1u << 31),
             PICK(words));
        put_sentence(buf, 6 + draw(12), 60);
        put(buf, "\\n#tag \\u2026\",\n    \"truncated\": false,\n");
        put(buf, "    \"in_reply_to_status_id\": null,\n");
        put_author(buf);
        put(buf, "    \"entities\": {\n      \"hashtags\": [],\n      \"urls\": []\n"
                 "    },\n");
        PUTF(buf, "    \"retweet_count\": %u,\n    \"lang\": \"ja\"\n  }%s\n", draw(100),
             left ? "," : "");
    }
    put(buf, "  ]\n}\n");
}

/* A border: nothing but pairs of long numbers. */
static void make_border(struct gd_buf *buf)
{
    put(buf, "{\"type\":\"FeatureCollection\",\"features\":[{\"coordinates\":[");
    for (int ring = 40; ring--;) {
        put(buf, "[");
        for (int left = 600; left--;)
            PUTF(buf, "[-%u.%06u%09u,%u.%06u%09u]%s", 50 + draw(90), draw(1000000),
                 draw(1000000000), 40 + draw(40), draw(1000000), draw(1000000000),
                 left ? "," : "");
        put(buf, ring ? "]," : "]");
    }
    put(buf, "]}]}");
}

/* A catalogue: deep indentation, small objects, short integers. */
static void make_catalogue(struct gd_buf *buf)
{
    put(buf, "{\n    \"performances\": [\n");
    for (int left = 700; left--;) {
        PUTF(buf, "        {\n            \"eventId\": %u,\n", 138586341 + draw(99999));
        PUTF(buf, "            \"id\": %u,\n            \"logo\": null,\n",
             339887544 + draw(99999));
        put(buf, "            \"name\": null,\n            \"prices\": [\n");
        for (int prices = 4; prices--;)
            PUTF(buf,
                 "                {\n                    \"amount\": %u,\n"
                 "                    \"audienceSubCategoryId\": 337100890,\n"
                 "                    \"seatCategoryId\": %u\n                }%s\n",
                 9000 * (1 + draw(30)), 338937235 + draw(99), prices ? "," : "");
        put(buf, "            ],\n            \"seatCategories\": [\n");
        for (int areas = 6; areas--;)
            PUTF(buf,
                 "                {\n                    \"areaId\": %u,\n"
                 "                    \"blockIds\": []\n                }%s\n",
                 205705993 + draw(99), areas ? "," : "");
        PUTF(buf,
             "            ],\n            \"seatMapImage\": null,\n"
             "            \"start\": 13726%u000,\n"
             "            \"venueCode\": \"PLEYEL_PLEYEL\"\n        }%s\n",
             10000 + draw(80000), left ? "," : "");
    }
    put(buf, "    ]\n}\n");
}

/* What an upstream usually answers: about 1 KiB on one line. */
static void make_api(struct gd_buf *buf)
{
    put(buf,
        "{\"id\":\"5f0c6a4e-2b7d-4c5e-9a53-0d5b3c2f7a11\",\"login\":\"ada\","
        "\"name\":\"Ada Lovelace\",\"email\":\"ada.lovelace@example.org\","
        "\"avatarUrl\":\"https://images.example.org/avatars/48213.png?size=128\","
        "\"active\":true,\"createdAt\":\"2024-03-01T10:22:31Z\",\"updatedAt\":"
        "\"2024-11-19T07:03:58Z\",\"bio\":\"Writes programs for an engine that is not "
        "built yet.\",\"score\":87.5,\"manager\":null,\"address\":{\"street\":"
        "\"12 Long Lane\",\"city\":\"London\",\"postalCode\":\"N1 9GU\","
        "\"country\":\"GB\"},\"tags\":[\"maths\",\"engines\",\"poetry\"],\"orders\":[");
    for (int left = 3; left--;)
        PUTF(buf,
             "{\"orderId\":%u,\"status\":\"%s\",\"placedAt\":"
             "\"2024-%02u-%02uT09:15:00Z\",\"items\":%u,\"total\":%u.%02u}%s",
             1000 + draw(90000), draw(2) ? "shipped" : "open", 1 + draw(12), 1 + draw(28),
             1 + draw(9), draw(200), draw(100), left ? "," : "");
    put(buf, "],\"links\":{\"self\":\"/users/48213\",\"orders\":\"/users/48213/orders\"},"
             "\"unread\":0}");
}

/* The same size with hardly anything but names, small numbers and brackets. */
static void make_dense(struct gd_buf *buf)
{
    put(buf, "{\"orders\":[");
    for (int left = 14; left--;)
        PUTF(buf,
             "{\"id\":%u,\"sku\":\"AB-%u\",\"quantity\":%u,\"price\":%u.%02u,"
             "\"state\":\"%s\"}%s",
             1000 + draw(90000), draw(9000), draw(9), draw(200), draw(100),
             draw(2) ? "shipped" : "open", left ? "," : "");
    put(buf, "]}");
}

typedef bool scan_fn(struct gd_span bytes, unsigned max_depth, struct gd_span *value,
                     struct gd_json_fault *fault);

static void scan_times(scan_fn *scan, struct gd_span text, long count)
{
    struct gd_span value;

    while (count-- > 0)
        if (!scan(text, GD_JSON_DEPTH_MAX, &value, NULL))
            abort();
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The best of several rounds of about 20 ms: what the machine does undisturbed. */
static double gigabytes_per_s(scan_fn *scan, struct gd_span text)
{
    long count = 1 + 40000000 / (long)text.len;
    double best = 0;

    for (int round = 0; round < 7; round++) {
        double start = now_s(), took;

        scan_times(scan, text, count);
        took = now_s() - start;
        if (took > 0 && (double)text.len * (double)count / took > best)
            best = (double)text.len * (double)count / took;
    }
    return best / 1e9;
}

static const struct {
    const char *name;
    void (*make)(struct gd_buf *buf);
} documents[] = {
    {"tweets", make_tweets}, {"border", make_border}, {"catalogue", make_catalogue},
    {"api", make_api},       {"dense", make_dense},
};

int main(int argc, char **argv)
{
    if (argc != 4)
        printf("%-10s %9s %12s %14s\n", "document", "bytes", "scan GB/s",
               "portable GB/s");
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        struct gd_buf buf;
        struct gd_span text;

        gd_buf_init(&buf, NULL, 8 << 20);
        seed = 1;
        documents[i].make(&buf);
        text = gd_buf_span(&buf);
        if (argc != 4)
            printf("%-10s %9zu %12.2f %14.2f\n", documents[i].name, text.len,
                   gigabytes_per_s(gd_json_scan, text),
                   gigabytes_per_s(gd_json_scan_portable, text));
        else if (strcmp(argv[1], documents[i].name) == 0) {
            printf("%zu bytes\n", text.len);
            scan_times(strcmp(argv[2], "vector") ? gd_json_scan_portable : gd_json_scan,
                       text, strtol(argv[3], NULL, 10));
        }
        gd_buf_free(&buf);
    }
    return EXIT_SUCCESS;
}
