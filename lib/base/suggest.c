#include "base/suggest.h"

/* Longer words are not compared: nobody mistypes one letter of a whole sentence. */
enum { WORD_MAX = 63 };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool same(char a, char b)
{
    return lower(a) == lower(b);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edits (insert, delete, replace, swap neighbours) from a to b. Only the last three rows
 * of the table are kept. */
static size_t distance(struct gd_span a, struct gd_span b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];

    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *oldest = before;

        before = last;
        last = row;
        row = oldest;
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t replaced = last[j - 1] + !same(a.ptr[i - 1], b.ptr[j - 1]);

            row[j] = least(replaced, least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && same(a.ptr[i - 1], b.ptr[j - 2]) &&
                same(a.ptr[i - 2], b.ptr[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return row[b.len];
}

const char *gd_suggest(struct gd_span word, const char *const *known, size_t n)
{
    const char *best = NULL;
    size_t bound = (word.len + 2) / 3;

    if (word.len > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        struct gd_span candidate;
        size_t d;

        if (known[i] == NULL)
            continue;
        candidate = gd_span_of(known[i]);
        if (candidate.len > WORD_MAX || candidate.len + bound < word.len)
            continue;
        d = distance(word, candidate);
        /* A word of which every character would have to change is no suggestion. */
        if (d > bound || d >= candidate.len || d >= word.len)
            continue;
        best = known[i];
        if (d == 0)
            break;
        bound = d - 1;
    }
    return best;
}
