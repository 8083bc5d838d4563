#ifndef GD_TESTS_JSON_ORACLE_H
#define GD_TESTS_JSON_ORACLE_H
/**
 * The checks of one text that need no expected answer: both twins say the same, the fault
 * is where the text first goes wrong, and jansson agrees wherever it follows the same
 * rules. Returns NULL when all holds, else what does not (constant text).
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "json/tape.h"

/* A number below `below`; the same ones in every run. */
static inline size_t json_draw(uint64_t *seed, size_t below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(*seed >> 33) % below;
}

struct json_verdict {
    bool valid;
    struct gd_span value;
    struct gd_json_fault fault;
};

static inline struct json_verdict json_verdict_of(struct gd_span text, bool portable)
{
    struct json_verdict got = {.fault = {SIZE_MAX, ""}};

    got.valid =
        portable ? gd_json_scan_portable(text, GD_JSON_DEPTH_MAX, &got.value, &got.fault)
                 : gd_json_scan(text, GD_JSON_DEPTH_MAX, &got.value, &got.fault);
    return got;
}

/* What the walk says that writes a tape as it goes. */
static inline struct json_verdict json_verdict_of_tape(struct gd_span text, bool portable)
{
    struct json_verdict got = {.fault = {SIZE_MAX, ""}};
    struct gd_tape tape;

    gd_tape_init(&tape, NULL, NULL);
    got.valid =
        portable ? gd_tape_scan_portable(&tape, text, GD_JSON_DEPTH_MAX, &got.value,
                                         &got.fault)
                 : gd_tape_scan(&tape, text, GD_JSON_DEPTH_MAX, &got.value, &got.fault);
    gd_tape_free(&tape);
    return got;
}

static inline bool json_same_verdict(struct json_verdict a, struct json_verdict b)
{
    return a.valid == b.valid && a.value.ptr == b.value.ptr &&
           a.value.len == b.value.len && a.fault.offset == b.fault.offset &&
           strcmp(a.fault.reason, b.fault.reason) == 0;
}

/* The scan of the first len bytes, in a block of just that size, so that reading past it
 * is seen by the address sanitizer. */
static inline struct json_verdict json_verdict_of_prefix(struct gd_span text, size_t len)
{
    char *copy = malloc(len ? len : 1);
    struct json_verdict got;

    if (len)
        memcpy(copy, text.ptr, len);
    got = json_verdict_of((struct gd_span){copy, len}, false);
    got.value = GD_SPAN_NONE;
    free(copy);
    return got;
}

/* What precedes the fault can be the start of a valid text, and with it no longer. */
static inline const char *json_check_fault(struct gd_span text,
                                           struct gd_json_fault fault)
{
    struct json_verdict before, with;

    if (fault.offset > text.len)
        return "the fault is behind the text";
    before = json_verdict_of_prefix(text, fault.offset);
    if (!before.valid && before.fault.offset != fault.offset)
        return "the fault is too late";
    if (fault.offset == text.len)
        return strcmp(fault.reason, "unexpected end") ? "the end has another reason"
                                                      : NULL;
    with = json_verdict_of_prefix(text, fault.offset + 1);
    if (with.valid || with.fault.offset != fault.offset)
        return "the fault is too early";
    return strcmp(fault.reason, with.fault.reason) ? "the reason depends on the rest"
                                                   : NULL;
}

/* jansson decodes, so it also refuses what is valid text without a value in C. */
static inline bool json_oracle_cannot_hold(const json_error_t *error)
{
    return json_error_code(error) == json_error_numeric_overflow ||
           json_error_code(error) == json_error_null_byte_in_key ||
           strstr(error->text, "invalid Unicode") != NULL;
}

static inline const char *json_check_oracle(struct gd_span text, struct json_verdict got)
{
    json_error_t error;
    json_t *root = json_loadb(text.len ? text.ptr : "", text.len,
                              JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    bool accepted = root != NULL;

    json_decref(root);
    if (got.valid && !accepted)
        return json_oracle_cannot_hold(&error) ? NULL : "only jansson refuses it";
    /* It loses a NUL byte that it looked at to find the end of a number or literal. */
    if (accepted && got.fault.offset < text.len && text.ptr[got.fault.offset] == '\0')
        return NULL;
    if (!got.valid && accepted && strcmp(got.fault.reason, "nested too deep") &&
        strcmp(got.fault.reason, "number too long"))
        return "only jansson accepts it";
    return NULL;
}

static inline const char *json_check(struct gd_span text)
{
    struct json_verdict fast = json_verdict_of(text, false);
    const char *wrong = NULL;

    if (!json_same_verdict(fast, json_verdict_of(text, true)))
        return "the twins differ";
    if (!json_same_verdict(fast, json_verdict_of_tape(text, false)) ||
        !json_same_verdict(fast, json_verdict_of_tape(text, true)))
        return "with a tape the verdict is another one";
    if (!fast.valid)
        wrong = json_check_fault(text, fast.fault);
    return wrong ? wrong : json_check_oracle(text, fast);
}

#endif
