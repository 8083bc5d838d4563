/* What proxies say, as text: which of it is well formed. */
#include "http/forwarded.h"

#include <stdio.h>

#include "suite.h"

static struct gd_field items[200];
static struct gd_fields fields = {.items = items};

static void add(const char *name, struct gd_span value)
{
    items[fields.count++] = (struct gd_field){.name = gd_span_of(name), .value = value};
}

/* The elements of the chain, from the last on, separated by spaces. */
static const char *chain(void)
{
    static char text[8192];
    struct gd_chain walk;
    struct gd_span hop;
    size_t len = 0;

    text[0] = '\0';
    gd_chain_begin(&walk, &fields, GD_CHAIN_X_FORWARDED_FOR);
    while (gd_chain_step(&walk, &hop))
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s", len ? " " : "",
                                GD_SPAN_ARG(hop));
    ck_assert(!gd_chain_step(&walk, &hop)); /* an end is an end */
    return text;
}

static const char *chain_of(struct gd_span value)
{
    fields.count = 0;
    add("X-Forwarded-For", value);
    return chain();
}

START_TEST(a_chain_is_walked_from_its_end)
{
    fields.count = 0;
    ck_assert_str_eq(chain(), "");
    ck_assert_str_eq(chain_of(GD_SPAN("")), "");
    ck_assert_str_eq(chain_of(GD_SPAN("a")), "a");
    ck_assert_str_eq(chain_of(GD_SPAN("1.2.3.4, ::1,unix")), "unix ::1 1.2.3.4");
    ck_assert_str_eq(chain_of(GD_SPAN(", ,a\t,,b , ")), "b a");
    ck_assert_str_eq(chain_of(GD_SPAN(",,,,")), "");
}
END_TEST

/* The same of Forwarded. */
static const char *forwarded_chain(struct gd_span value)
{
    static char text[8192];
    struct gd_chain walk;
    struct gd_span hop;
    size_t len = 0;

    fields.count = 0;
    add("X-Forwarded-For", GD_SPAN("6.6.6.6"));
    add("Forwarded", value);
    text[0] = '\0';
    gd_chain_begin(&walk, &fields, GD_CHAIN_FORWARDED);
    while (gd_chain_step(&walk, &hop))
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s", len ? " " : "",
                                GD_SPAN_ARG(hop));
    return text;
}

START_TEST(a_chain_of_forwarded_is_walked_from_its_end)
{
    static const char *const cases[][2] = {
        {"for=1.2.3.4", "1.2.3.4"},
        {"For=1.2.3.4;proto=https;by=5.6.7.8", "1.2.3.4"},
        {"proto=http ; FOR=1.2.3.4", "1.2.3.4"},
        {"for=\"[2001:db8::1]:4711\"", "[2001:db8::1]:4711"},
        {"for=1.2.3.4, for=5.6.7.8,for=_hidden, for=unknown",
         "unknown _hidden 5.6.7.8 1.2.3.4"},
        {"for=a, , for=b", "b a"},
        /* what ends the walk */
        {"for=a, proto=http", ""},
        {"for=a, for=b;for=c, for=d", "d"},
        {"for=a, for, for=b", "b"},
        {"for=a, for=, for=b", "b"},
        {"for=a, for=\"b, for=c", "c"},
        {"for=a, for=b\", for=c", "c"},
        {"for=\"a,b\", for=c", "c"},
        {"for=a, for=b c, for=d", "d"},
        {"for=a, for=\"b\\c\", for=d", "d"},
        {"for=a, x=\"y;z\";for=b, for=d", "d"},
        {"1.2.3.4", ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_str_eq(forwarded_chain(gd_span_of(cases[i][0])), cases[i][1]);
}
END_TEST

static const char *last_of_forwarded(const char *value, struct gd_span name)
{
    static char text[100];
    struct gd_span found;

    fields.count = 0;
    if (value)
        add("Forwarded", gd_span_of(value));
    found = gd_forwarded_last(&fields, name);
    snprintf(text, sizeof(text), "%.*s", found.ptr ? (int)found.len : 1,
             found.ptr ? found.ptr : "-");
    return text;
}

START_TEST(the_last_element_of_forwarded_is_the_word_of_the_proxy)
{
    struct gd_span proto = GD_SPAN("proto"), host = GD_SPAN("host");

    ck_assert_str_eq(last_of_forwarded(NULL, proto), "-");
    ck_assert_str_eq(last_of_forwarded("for=a;proto=https", proto), "https");
    ck_assert_str_eq(last_of_forwarded("proto=https, proto=http", proto), "http");
    ck_assert_str_eq(last_of_forwarded("proto=https, for=a", proto), "-");
    ck_assert_str_eq(last_of_forwarded("for=a;host=\"a.test:80\"", host), "a.test:80");
    ck_assert_str_eq(last_of_forwarded("host=a;host=b", host), "-");
    ck_assert_str_eq(last_of_forwarded("host=\"a b\"", host), "-");
}
END_TEST

START_TEST(all_lines_of_a_chain_are_one_list)
{
    fields.count = 0;
    add("X-Forwarded-For", GD_SPAN("a, b"));
    add("X-Forwarded-Fo", GD_SPAN("x"));
    add("x-FORWARDED-for", GD_SPAN(" ,"));
    add("Forwarded", GD_SPAN("for=x"));
    add("x-forwarded-for", GD_SPAN("c"));
    ck_assert_str_eq(chain(), "c b a");
}
END_TEST

START_TEST(any_byte_that_no_address_has_ends_a_chain)
{
    for (int c = 0; c < 256; c++) {
        char text[] = "first, bad?, last";
        bool word = c != 0 && strchr("0123456789abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ.:[]_-",
                                     c);

        if (c == ',' || c == ' ' || c == '\t')
            continue;
        text[10] = (char)c;
        chain_of(GD_SPAN(text));
        if (word)
            ck_assert_ptr_nonnull(strstr(chain(), " first"));
        else
            ck_assert_str_eq(chain(), "last");
    }
    ck_assert_str_eq(chain_of(GD_SPAN("a b, c")), "c");
    ck_assert_str_eq(chain_of(GD_SPAN("a, b\xc3\xa4")), "");
}
END_TEST

START_TEST(a_chain_is_bounded)
{
    char text[4096], hop[GD_CHAIN_HOP_MAX_BYTES + 2];
    struct gd_chain walk;
    struct gd_span one;
    unsigned count = 0;
    size_t len = 0;

    for (int i = 0; i < 500; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "h%d,", i);
    fields.count = 0;
    add("X-Forwarded-For", (struct gd_span){text, len});
    gd_chain_begin(&walk, &fields, GD_CHAIN_X_FORWARDED_FOR);
    while (gd_chain_step(&walk, &one))
        count++;
    ck_assert_uint_eq(count, GD_CHAIN_HOPS_MAX);
    memset(hop, 'a', sizeof(hop));
    ck_assert_str_ne(chain_of((struct gd_span){hop, GD_CHAIN_HOP_MAX_BYTES}), "");
    ck_assert_str_eq(chain_of((struct gd_span){hop, GD_CHAIN_HOP_MAX_BYTES + 1}), "");
}
END_TEST

START_TEST(an_id_has_letters_digits_dots_underscores_and_hyphens)
{
    char text[129];

    memset(text, 'x', sizeof(text));
    ck_assert(gd_is_request_id((struct gd_span){text, 1}));
    ck_assert(gd_is_request_id((struct gd_span){text, 128}));
    ck_assert(!gd_is_request_id((struct gd_span){text, 129}));
    ck_assert(!gd_is_request_id(GD_SPAN("")));
    ck_assert(!gd_is_request_id(GD_SPAN_NONE));
    for (int c = 0; c < 256; c++) {
        bool good = c != 0 && strchr("0123456789abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-",
                                     c);

        text[1] = (char)c;
        ck_assert_msg(gd_is_request_id((struct gd_span){text, 3}) == good, "byte %d", c);
    }
}
END_TEST

START_TEST(the_fields_that_proxies_write_are_known)
{
    static const char *const own[] = {
        "X-Request-Id", "x-forwarded-for", "X-Forwarded-Proto", "X-FORWARDED-HOST",
        "traceparent",  "TraceState",      "Forwarded",         "x-forwarded-anything"};
    static const char *const others[] = {"",    "X-Forwarded",   "X-Forwarded-",
                                         "Via", "X-Request-Ids", "tracestat"};

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        ck_assert_msg(gd_is_forwarding_field(gd_span_of(own[i])), "%s", own[i]);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        ck_assert_msg(!gd_is_forwarding_field(gd_span_of(others[i])), "%s", others[i]);
}
END_TEST

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

START_TEST(a_traceparent_is_read)
{
    struct gd_trace trace;

    ck_assert(gd_traceparent_read(GD_SPAN("00-" TRACE "-" PARENT "-01"), &trace));
    ck_assert_int_eq(memcmp(trace.id, TRACE, 32), 0);
    ck_assert(trace.sampled);
    ck_assert(gd_traceparent_read(GD_SPAN("00-" TRACE "-" PARENT "-00"), &trace));
    ck_assert(!trace.sampled);
    ck_assert(gd_traceparent_read(GD_SPAN("00-" TRACE "-" PARENT "-fe"), &trace));
    ck_assert(!trace.sampled);
    ck_assert(gd_traceparent_read(GD_SPAN("00-" TRACE "-" PARENT "-0b"), &trace));
    ck_assert(trace.sampled);
    ck_assert(gd_traceparent_read(GD_SPAN("cc-" TRACE "-" PARENT "-01"), &trace));
    ck_assert(gd_traceparent_read(GD_SPAN("cc-" TRACE "-" PARENT "-01-what"), &trace));
}
END_TEST

START_TEST(a_malformed_traceparent_is_none)
{
    static const char *const cases[] = {
        "",
        "00",
        "00-" TRACE "-" PARENT,
        "00-" TRACE "-" PARENT "-",
        "00-" TRACE "-" PARENT "-0",
        "00-" TRACE "-" PARENT "-01-",
        "00-" TRACE "-" PARENT "-01-more",
        "cc-" TRACE "-" PARENT "-01.more",
        "ff-" TRACE "-" PARENT "-01",
        "0g-" TRACE "-" PARENT "-01",
        "AA-" TRACE "-" PARENT "-01",
        "00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01",
        "00-" TRACE "-B7AD6B7169203331-01",
        "00-" TRACE "-" PARENT "-0A",
        "00-00000000000000000000000000000000-" PARENT "-01",
        "00-" TRACE "-0000000000000000-01",
        " 00-" TRACE "-" PARENT "-01",
    };
    struct gd_trace trace;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_msg(!gd_traceparent_read(gd_span_of(cases[i]), &trace), "%s", cases[i]);
    ck_assert(!gd_traceparent_read(GD_SPAN_NONE, &trace));
}
END_TEST

START_TEST(a_traceparent_with_any_wrong_byte_is_none)
{
    static const char good[] = "00-" TRACE "-" PARENT "-01";

    for (size_t at = 0; at < sizeof(good) - 1; at++)
        for (int c = 0; c < 256; c++) {
            char text[sizeof(good)];
            struct gd_trace trace;
            bool digit = c != 0 && strchr("0123456789abcdef", c);

            memcpy(text, good, sizeof(good));
            text[at] = (char)c;
            if (good[at] == '-' ? c == '-' : digit)
                continue;
            ck_assert_msg(!gd_traceparent_read(GD_SPAN(text), &trace), "byte %d at %zu",
                          c, at);
        }
}
END_TEST

/* The list that is passed on; "" for none. */
static const char *state(void)
{
    static char text[1024];
    struct gd_buf out;

    gd_buf_init(&out, NULL, sizeof(text) - 1);
    ck_assert(gd_buf_add_text(&out, "before"));
    if (!gd_tracestate_write(&out, &fields))
        ck_assert_uint_eq(out.len, 6);
    memcpy(text, out.data + 6, out.len - 6);
    text[out.len - 6] = '\0';
    gd_buf_free(&out);
    return text;
}

static const char *state_of(struct gd_span value)
{
    fields.count = 0;
    add("tracestate", value);
    return state();
}

START_TEST(a_sound_tracestate_is_one_list)
{
    ck_assert_str_eq(state_of(GD_SPAN("a=1")), "a=1");
    ck_assert_str_eq(state_of(GD_SPAN("a=1 ,\t b=2,, t1@sys/x*-_=a b~!")),
                     "a=1,b=2,t1@sys/x*-_=a b~!");
    fields.count = 0;
    add("tracestate", GD_SPAN("a=1"));
    add("TraceState", GD_SPAN("b=2"));
    ck_assert_str_eq(state(), "a=1,b=2");
}
END_TEST

START_TEST(a_malformed_tracestate_is_none)
{
    static const char *const cases[] = {
        "",      " ",      ",",    "a",          "a=",         "=1",     "A=1",
        "a b=1", "a=b=",   "@a=1", "a@=1",       "a@b@c=1",    "a@@b=1", "_a=1",
        "a=1,b", "a=\x7f", "a=\t", "a=\xc3\xa4", "\xc3\xa4=1", "a\"=1"};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_msg(state_of(gd_span_of(cases[i]))[0] == '\0', "%s", cases[i]);
    ck_assert_str_eq(state_of(GD_SPAN("a=1\0b")), "");
    fields.count = 0;
    ck_assert_str_eq(state(), "");
    add("tracestate", GD_SPAN("a=1"));
    add("tracestate", GD_SPAN("nothing"));
    ck_assert_str_eq(state(), "");
}
END_TEST

START_TEST(a_tracestate_is_bounded)
{
    char text[1024] = "";
    size_t len = 0;

    for (int i = 0; i < 33; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "k%d=1,", i);
    ck_assert_str_eq(state_of((struct gd_span){text, len}), "");
    ck_assert_str_ne(state_of((struct gd_span){text, len - sizeof("k32=1")}), "");
    memset(text, 'v', sizeof(text));
    text[1] = '=';
    ck_assert_str_ne(state_of((struct gd_span){text, 2 + 256}), "");
    ck_assert_str_eq(state_of((struct gd_span){text, 2 + 257}), "");
    text[257] = ',';
    text[259] = '=';
    ck_assert_str_ne(state_of((struct gd_span){text, GD_TRACESTATE_MAX_BYTES}), "");
    ck_assert_str_eq(state_of((struct gd_span){text, GD_TRACESTATE_MAX_BYTES + 1}), "");
}
END_TEST

START_TEST(a_field_that_stands_twice_has_no_one_value)
{
    fields.count = 0;
    ck_assert_ptr_null(gd_fields_only(&fields, GD_SPAN("X-A")).ptr);
    add("X-A", GD_SPAN("1"));
    add("X-B", GD_SPAN("2"));
    ck_assert(gd_span_is(gd_fields_only(&fields, GD_SPAN("x-a")), "1"));
    add("x-A", GD_SPAN("1"));
    ck_assert_ptr_null(gd_fields_only(&fields, GD_SPAN("X-A")).ptr);
    add("x-A", GD_SPAN("3"));
    ck_assert_ptr_null(gd_fields_only(&fields, GD_SPAN("X-A")).ptr);
    ck_assert(gd_span_is(gd_fields_only(&fields, GD_SPAN("X-B")), "2"));
}
END_TEST

GD_SUITE("forwarded", a_chain_is_walked_from_its_end,
         a_chain_of_forwarded_is_walked_from_its_end,
         the_last_element_of_forwarded_is_the_word_of_the_proxy,
         all_lines_of_a_chain_are_one_list, any_byte_that_no_address_has_ends_a_chain,
         a_chain_is_bounded, an_id_has_letters_digits_dots_underscores_and_hyphens,
         the_fields_that_proxies_write_are_known, a_traceparent_is_read,
         a_malformed_traceparent_is_none, a_traceparent_with_any_wrong_byte_is_none,
         a_sound_tracestate_is_one_list, a_malformed_tracestate_is_none,
         a_tracestate_is_bounded, a_field_that_stands_twice_has_no_one_value)
