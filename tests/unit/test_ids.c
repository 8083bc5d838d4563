/* Ids: unlike each other, and well formed. */
#include "base/ids.h"

#include <string.h>

#include "suite.h"

enum { COUNT = 20000 };

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

START_TEST(a_source_repeats_no_id)
{
    static uint64_t all[COUNT];
    struct gd_ids ids;

    ck_assert(gd_ids_init(&ids, NULL));
    for (size_t i = 0; i < COUNT; i++)
        all[i] = gd_ids_next(&ids);
    qsort(all, COUNT, sizeof(all[0]), compare);
    ck_assert_uint_ne(all[0], 0);
    for (size_t i = 1; i < COUNT; i++)
        ck_assert_uint_ne(all[i - 1], all[i]);
}
END_TEST

START_TEST(an_id_is_never_zero)
{
    struct gd_ids ids = {0, 0, 0}; /* the one state that would give 0 */

    ck_assert_uint_ne(gd_ids_next(&ids), 0);
}
END_TEST

START_TEST(sources_differ)
{
    struct gd_ids a, b;

    ck_assert(gd_ids_init(&a, NULL));
    ck_assert(gd_ids_init(&b, NULL));
    ck_assert_uint_ne(gd_ids_next(&a), gd_ids_next(&b));
}
END_TEST

START_TEST(ids_are_written_as_hex_digits_in_lower_case)
{
    char text[33] = "", number[17] = "", zero[17] = "";
    struct gd_ids ids;

    ck_assert(gd_ids_init(&ids, NULL));
    for (int i = 0; i < 1000; i++) {
        gd_ids_write(&ids, text);
        ck_assert_uint_eq(strspn(text, "0123456789abcdef"), 32);
    }
    gd_hex16_write(UINT64_C(0xfedcba9876543210), number);
    for (const char *digit = "0123456789abcdef"; *digit; digit++)
        ck_assert_ptr_nonnull(strchr(number, *digit));
    gd_hex16_write(0, zero);
    ck_assert_str_eq(zero, "0000000000000000");
}
END_TEST

GD_SUITE("ids", a_source_repeats_no_id, an_id_is_never_zero, sources_differ,
         ids_are_written_as_hex_digits_in_lower_case)
