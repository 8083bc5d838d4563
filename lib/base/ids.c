#include "base/ids.h"

#include <string.h>
#include <sys/random.h>

bool gd_ids_init(struct gd_ids *ids, struct gd_err *err)
{
    uint64_t seed[2];

    if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
        return gd_err_errno(err, "cannot get random bytes");
    *ids = (struct gd_ids){.high = seed[0], .low = seed[1]};
    return true;
}

/* Neighbouring inputs give unlike outputs, different ones never the same. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* Writes 8 hex digits, all at once. */
static void write_hex(uint32_t number, char *out)
{
    uint64_t x = number, letters;

    x = (x | x << 16) & 0x0000ffff0000ffffu;
    x = (x | x << 8) & 0x00ff00ff00ff00ffu;
    x = (x | x << 4) & 0x0f0f0f0f0f0f0f0fu; /* a digit a byte */
    letters = ((x + 0x0606060606060606u) >> 4) & 0x0101010101010101u;
    x += 0x3030303030303030u + letters * ('a' - '0' - 10);
    memcpy(out, &x, sizeof(x));
}

void gd_hex16_write(uint64_t number, char out[16])
{
    write_hex((uint32_t)number, out);
    write_hex((uint32_t)(number >> 32), out + 8);
}

uint64_t gd_ids_next(struct gd_ids *ids)
{
    uint64_t id;

    do { /* one of all inputs gives 0 */
        id = mix(ids->high + ids->count++);
    } while (id == 0);
    return id;
}

void gd_ids_write(struct gd_ids *ids, char out[32])
{
    gd_hex16_write(mix(ids->low ^ ids->count), out + 16);
    gd_hex16_write(gd_ids_next(ids), out);
}
