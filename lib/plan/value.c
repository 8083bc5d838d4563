#include "plan/value.h"

#include <stdio.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit duration_units[] = {
    {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
static const struct unit size_units[] = {
    {"GiB", 1u << 30}, {"MiB", 1u << 20}, {"KiB", 1u << 10}, {"GB", 1000000000},
    {"MB", 1000000},   {"KB", 1000},      {"B", 1}};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static size_t digits(struct gd_span text)
{
    size_t n = 0;

    while (n < text.len && text.ptr[n] >= '0' && text.ptr[n] <= '9')
        n++;
    return n;
}

bool gd_value_is_digits(struct gd_span text)
{
    return text.len && digits(text) == text.len;
}

bool gd_value_number(struct gd_span text, uint64_t *out)
{
    if (text.len > 1 && text.ptr[0] == '0')
        return false;
    return gd_span_u64(text, out);
}

static bool with_unit(struct gd_span text, const struct unit *units, size_t n,
                      uint64_t *out)
{
    size_t len = digits(text);
    struct gd_span unit = {text.ptr + len, text.len - len};
    uint64_t number;

    if (!gd_value_number((struct gd_span){text.ptr, len}, &number))
        return false;
    for (size_t i = 0; i < n; i++)
        if (gd_span_is(unit, units[i].name))
            return !__builtin_mul_overflow(number, units[i].factor, out);
    return false;
}

bool gd_value_duration(struct gd_span text, uint64_t *ms)
{
    return with_unit(text, duration_units, COUNT(duration_units), ms);
}

bool gd_value_range(struct gd_span text, struct gd_value_range *range)
{
    static const char dots[] = "..";
    const char *joint = text.len ? memmem(text.ptr, text.len, dots, 2) : NULL;
    struct gd_span low = text, high = text;
    uint64_t low_ms, high_ms;

    if (joint) {
        low.len = (size_t)(joint - text.ptr);
        high = (struct gd_span){joint + 2, text.len - low.len - 2};
    }
    if (!gd_value_duration(low, &low_ms) || !gd_value_duration(high, &high_ms) ||
        low_ms > high_ms || high_ms > UINT32_MAX)
        return false;
    *range = (struct gd_value_range){(uint32_t)low_ms, (uint32_t)high_ms};
    return true;
}

bool gd_value_size(struct gd_span text, uint64_t *bytes)
{
    if (gd_span_is(text, "0")) {
        *bytes = 0;
        return true;
    }
    return with_unit(text, size_units, COUNT(size_units), bytes);
}

bool gd_value_percent(struct gd_span text, double *share)
{
    size_t whole = digits(text), part = 0;
    uint64_t number, fraction = 0;
    double scale = 1;

    if (!gd_value_number((struct gd_span){text.ptr, whole}, &number) || number > 100)
        return false;
    if (whole < text.len && text.ptr[whole] == '.') {
        struct gd_span rest = {text.ptr + whole + 1, text.len - whole - 1};

        part = digits(rest) + 1;
        if (part > 10 || !gd_span_u64((struct gd_span){rest.ptr, part - 1}, &fraction))
            return false;
        for (size_t i = 1; i < part; i++)
            scale *= 10;
    }
    if (text.len != whole + part + 1 || text.ptr[text.len - 1] != '%')
        return false;
    *share = ((double)number + (double)fraction / scale) / 100;
    return *share <= 1;
}

bool gd_value_bool(struct gd_span text, bool *out)
{
    *out = gd_span_is(text, "true") || gd_span_is(text, "on");
    return *out || gd_span_is(text, "false") || gd_span_is(text, "off");
}

static const char *as_text(uint64_t value, const struct unit *units, size_t n,
                           struct gd_value_text *out)
{
    size_t i = 0;

    while (i + 1 < n && (value == 0 || value % units[i].factor != 0))
        i++;
    snprintf(out->text, sizeof(out->text), "%llu%s",
             (unsigned long long)(value / units[i].factor), units[i].name);
    return out->text;
}

const char *gd_value_duration_text(uint64_t ms, struct gd_value_text *out)
{
    return as_text(ms, duration_units, COUNT(duration_units), out);
}

const char *gd_value_size_text(uint64_t bytes, struct gd_value_text *out)
{
    return as_text(bytes, size_units, COUNT(size_units), out);
}
