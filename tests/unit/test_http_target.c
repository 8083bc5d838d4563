#include "suite.h"

#include "http/chars.h"
#include "http/target.h"

static const struct {
    const char *target;
    const char *path;  /* NULL: refused */
    const char *query; /* NULL: none */
} targets[] = {
    {"/", "/", NULL},
    {"/a/b", "/a/b", NULL},
    {"/a?", "/a", ""},
    {"/a?b=c", "/a", "b=c"},
    {"/a?b?c", "/a", "b?c"},
    {"/a?../..", "/a", "../.."},
    {"/a//b//", "/a//b//", NULL},
    {"//a", "//a", NULL},
    {"/.", "/", NULL},
    {"/./", "/", NULL},
    {"/a/.", "/a/", NULL},
    {"/a/./b", "/a/b", NULL},
    {"/a/..", "/", NULL},
    {"/a/../", "/", NULL},
    {"/a/../b", "/b", NULL},
    {"/a/b/..", "/a/", NULL},
    {"/a/b/../../c?d", "/c", "d"},
    {"/a//../b", "/a/b", NULL},
    {"/a//../../b", "/b", NULL},
    {"//..", "/", NULL},
    {"/...", "/...", NULL},
    {"/a/.b/..c/d.", "/a/.b/..c/d.", NULL},
    {"/a.b", "/a.b", NULL},
    {"/..", NULL, NULL},
    {"/../a", NULL, NULL},
    {"/a/../..", NULL, NULL},
    {"/./..", NULL, NULL},
    {"/a/b/../../../c", NULL, NULL},
    {"/%2e", "/", NULL},
    {"/a/%2E%2e/b", "/b", NULL},
    {"/a/.%2e/b", "/b", NULL},
    {"/%2e%2e", NULL, NULL},
    {"/%2e%2e/a", NULL, NULL},
    {"/a/..%2fb", "/a/..%2Fb", NULL},
    {"/a%2f..%2fb", "/a%2F..%2Fb", NULL},
    {"/%41%7e%2d", "/A~-", NULL},
    {"/%c3%a4", "/%C3%A4", NULL},
    {"/%3a%3A", "/%3A%3A", NULL},
    {"/%a3", "/%A3", NULL},
    {"/a%20b", "/a%20b", NULL},
    {"/%2525", "/%2525", NULL},
    {"/%5c", "/%5C", NULL},
    {"/!$&'()*+,;=:@-._~", "/!$&'()*+,;=:@-._~", NULL},
    {"/a?%0d%0a", "/a", "%0d%0a"},
    {"/%", NULL, NULL},
    {"/%4", NULL, NULL},
    {"/%g1", NULL, NULL},
    {"/%1g", NULL, NULL},
    {"/%v4", NULL, NULL},
    {"/%4x", NULL, NULL},
    {"/a?%", NULL, NULL},
    {"/a?%4", NULL, NULL},
    {"/a?b%zz", NULL, NULL},
    {"/%00", NULL, NULL},
    {"/%0a", NULL, NULL},
    {"/%1F", NULL, NULL},
    {"/%7f", NULL, NULL},
    {"/#a", NULL, NULL},
    {"/a?#b", NULL, NULL},
    {"", NULL, NULL},
    {"a", NULL, NULL},
    {"a/b", NULL, NULL},
    {"?a", NULL, NULL},
    {"**", NULL, NULL},
    {"*", "*", NULL},
    {"http://a", "/", NULL},
    {"http://a/", "/", NULL},
    {"HTTP://A/b?c", "/b", "c"},
    {"https://a:443/./b", "/b", NULL},
    {"http://a?b", "/", "b"},
    {"http://a?%zz", NULL, NULL},
    {"http://[::1]:80/b", "/b", NULL},
    {"http://a/..", NULL, NULL},
    {"http://a#b", NULL, NULL},
    {"http://", NULL, NULL},
    {"http:///a", NULL, NULL},
    {"http://:80/", NULL, NULL},
    {"http://a:b/", NULL, NULL},
    {"http://u@a/", NULL, NULL},
    {"http://u:p@a/", NULL, NULL},
    {"http:/a", NULL, NULL},
    {"httpx://a/", NULL, NULL},
    {"ws://a/", NULL, NULL},
};

/* A span that is absent (NULL) or holds text. */
static bool holds(struct gd_span span, const char *text)
{
    return text ? span.ptr && gd_span_is(span, text) : span.ptr == NULL;
}

static void check_target(const char *text, const char *path, const char *query)
{
    size_t len = strlen(text);
    char *target = malloc(len + (len == 0)); /* of exact size */
    char *room = malloc(len + 1);
    struct gd_span span = {target, len};
    struct gd_target out, judged;
    bool ok;

    memcpy(target, text, len);
    ok = gd_target_parse(span, room, &out);
    ck_assert_msg(ok == (path != NULL), "%s: %s", text, ok ? "taken" : "refused");
    ck_assert_int_eq(gd_target_parse(span, NULL, &judged), ok);
    if (ok) {
        ck_assert_msg(holds(out.path, path), "%s: %.*s", text, GD_SPAN_ARG(out.path));
        ck_assert_msg(holds(out.query, query), "%s: query", text);
        /* Without room, only what is canonical already has a path. */
        if (judged.path.ptr)
            ck_assert(gd_span_eq(judged.path, out.path) &&
                      judged.path.ptr == out.path.ptr);
        else
            ck_assert_ptr_eq(out.path.ptr, room);
    }
    free(room);
    free(target);
}

START_TEST(one_path_has_one_form)
{
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
        check_target(targets[i].target, targets[i].path, targets[i].query);
}
END_TEST

START_TEST(the_canonical_form_is_canonical)
{
    static const char pieces[][8] = {"/",   ".",   "..", "a", "%2e",
                                     "%2F", "%41", "b",  "/", "%c3"};
    char text[64], room[65], again_room[65];
    struct gd_target out, again;
    uint32_t random = 7;
    int taken = 0;

    for (int run = 0; run < 10000; run++) {
        size_t len = 1;

        text[0] = '/';
        for (int i = 0; i < 12; i++) {
            random = random * 1664525 + 1013904223;
            memcpy(text + len, pieces[(random >> 16) % 10], 4);
            len += strnlen(pieces[(random >> 16) % 10], 4);
        }
        if (!gd_target_parse((struct gd_span){text, len}, room, &out))
            continue;
        taken++;
        ck_assert_uint_le(out.path.len, len);
        ck_assert(gd_target_parse(out.path, again_room, &again));
        ck_assert(again.path.ptr == out.path.ptr && again.path.len == out.path.len);
    }
    ck_assert_int_gt(taken, 2000);
}
END_TEST

START_TEST(every_byte_has_its_place_in_a_target)
{
    for (int c = 0; c < 256; c++) {
        char path[3] = {'/', 'a', (char)c}, query[3] = {'/', '?', (char)c};
        struct gd_target out;
        char room[4];
        bool fine = gd_char_is((char)c, GD_CHAR_PATH);
        bool as_is = c && strchr("?[]\\^`{|}", c) != NULL;

        ck_assert_int_eq(gd_target_parse((struct gd_span){path, 3}, room, &out),
                         fine || c == '?');
        ck_assert_int_eq(gd_target_parse((struct gd_span){query, 3}, room, &out),
                         fine || as_is);
    }
}
END_TEST

static const struct {
    const char *host;
    bool valid;
} hosts[] = {
    {"", true},
    {"a", true},
    {"a.example", true},
    {"a:", true},
    {"a:80", true},
    {"a:65535", true},
    {":80", true},
    {"127.0.0.1:8080", true},
    {"[::1]", true},
    {"[::1]:443", true},
    {"a_b", true},
    {"xn--bcher-kva.example", true},
    {"a%41", true},
    {"[::ffff:1.2.3.4]", true},
    {"a:65536", false},
    {"a:000080", false},
    {"a:+80", false},
    {"a:80:80", false},
    {"a:8a", false},
    {"a b", false},
    {"a/b", false},
    {"a@b", false},
    {"a?b", false},
    {"a#b", false},
    {"a\\b", false},
    {"[::1", false},
    {"::1", false},
    {"[]", false},
    {"[::g]", false},
    {"[1.2.3.4]", false},
    {"[::1]a", false},
    {"[::1%25lo]", false},
    {"[v1.a]", false},
    {"a%", false},
    {"a%4", false},
    {"a%00", false},
    {"a%20", false},
    {"\xc3\xa4", false},
    {"a\tb", false},
    {"a,b", true},
    {"[0000:0000:0000:0000:0000:ffff:255.255.255.255]", true},
    {"[0000:0000:0000:0000:0000:ffff:255.255.255.255:]", false},
    {"<a>", false},
    {"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]", false},
};

START_TEST(hosts_follow_the_grammar)
{
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        ck_assert_msg(gd_is_host(gd_span_of(hosts[i].host)) == hosts[i].valid, "%s",
                      hosts[i].host);
    ck_assert(!gd_is_host((struct gd_span){"[::1\0]", 6}));
    ck_assert(!gd_is_host((struct gd_span){"a\0b", 3}));
}
END_TEST

START_TEST(encoding_makes_one_segment_of_any_bytes)
{
    struct gd_buf buf;
    char bytes[256], back[768];
    struct gd_target out;
    size_t len;

    gd_buf_init(&buf, NULL, 1024);
    for (int c = 0; c < 256; c++)
        bytes[c] = (char)c;
    ck_assert(gd_percent_encode(&buf, (struct gd_span){bytes, 256}));
    for (size_t i = 0; i < buf.len; i++)
        ck_assert(buf.data[i] == '%' || gd_char_is(buf.data[i], GD_CHAR_UNRESERVED));
    len = gd_percent_decode(gd_buf_span(&buf), true, back);
    ck_assert_uint_eq(len, 256);
    ck_assert_mem_eq(back, bytes, 256);
    buf.len = 0;
    ck_assert(gd_buf_add_text(&buf, "/"));
    ck_assert(gd_percent_encode(&buf, GD_SPAN("a/b?c#d e\xff")));
    ck_assert(gd_target_parse(gd_buf_span(&buf), NULL, &out));
    ck_assert(gd_span_is(out.path, "/a%2Fb%3Fc%23d%20e%FF"));
    gd_buf_free(&buf);
}
END_TEST

START_TEST(encoding_respects_the_bound_of_its_buffer)
{
    struct gd_buf buf;

    gd_buf_init(&buf, NULL, 8);
    ck_assert(gd_percent_encode(&buf, GD_SPAN("")));
    ck_assert(gd_percent_encode(&buf, GD_SPAN("a b")));
    ck_assert(!gd_percent_encode(&buf, GD_SPAN("/b")));
    ck_assert_uint_eq(buf.len, 5);
    ck_assert(gd_percent_encode(&buf, GD_SPAN("/")));
    ck_assert_uint_eq(buf.len, 8);
    gd_buf_free(&buf);
}
END_TEST

static void check_decode(const char *text, bool plus, const char *wanted)
{
    char out[64];

    ck_assert_uint_eq(gd_percent_decode(gd_span_of(text), plus, out), strlen(wanted));
    ck_assert_mem_eq(out, wanted, strlen(wanted));
}

START_TEST(decoding_takes_escapes_once)
{
    check_decode("", true, "");
    check_decode("a%20b%41", false, "a bA");
    check_decode("a+b%2b", false, "a+b+");
    check_decode("a+b%2b", true, "a b+");
    check_decode("%2541", true, "%41");
    check_decode("%", true, "%");
    check_decode("%4", true, "%4");
    check_decode("%zz%41", true, "%zzA");
    check_decode("%4x%v4", true, "%4x%v4");
}
END_TEST

static const struct {
    const char *query, *name, *value;
} queries[] = {
    {"a=1&b=2", "a", "1"},   {"a=1&b=2", "b", "2"},
    {"a=1&b=2", "c", NULL},  {"", "a", NULL},
    {"a=1&a=2", "a", "1"},   {"ab=1", "a", NULL},
    {"a=1", "ab", NULL},     {"a", "a", ""},
    {"a=", "a", ""},         {"a&b=1", "a", ""},
    {"a=b=c", "a", "b=c"},   {"&&a=1&", "a", "1"},
    {"%61%62=1", "ab", "1"}, {"a+b=%20+", "a b", "%20+"},
    {"a%20b=1", "a b", "1"}, {"%C3%a4=1", "\xc3\xa4", "1"},
    {"A=1", "a", NULL},      {"=1", "", NULL},
    {"a%3d=1", "a=", "1"},   {"a%26b=1", "a&b", "1"},
    {"x=a=1&b", "a", NULL},  {"&", "", NULL},
};

START_TEST(a_query_is_asked_for_decoded_names)
{
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
        ck_assert_msg(
            holds(gd_query_get(gd_span_of(queries[i].query), gd_span_of(queries[i].name)),
                  queries[i].value),
            "%s of %s", queries[i].name, queries[i].query);
    ck_assert_ptr_null(gd_query_get(GD_SPAN_NONE, GD_SPAN("a")).ptr);
}
END_TEST

GD_SUITE("http_target", one_path_has_one_form, the_canonical_form_is_canonical,
         every_byte_has_its_place_in_a_target, hosts_follow_the_grammar,
         encoding_makes_one_segment_of_any_bytes,
         encoding_respects_the_bound_of_its_buffer, decoding_takes_escapes_once,
         a_query_is_asked_for_decoded_names)
