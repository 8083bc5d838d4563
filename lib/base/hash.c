#include "base/hash.h"

#include <sys/auxv.h>

struct gd_hash_key gd_hash_key_of_process(void)
{
    const void *bytes = (const void *)getauxval(AT_RANDOM);
    struct gd_hash_key key = {0};

    if (bytes)
        memcpy(&key, bytes, sizeof(key));
    return key;
}

struct state {
    uint64_t a, b, c, d;
};

static inline uint64_t rotated(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

static inline struct state mixed(struct state s)
{
    s.a += s.b;
    s.c += s.d;
    s.b = rotated(s.b, 13) ^ s.a;
    s.d = rotated(s.d, 16) ^ s.c;
    s.a = rotated(s.a, 32) + s.d;
    s.c += s.b;
    s.d = rotated(s.d, 21) ^ s.a;
    s.b = rotated(s.b, 17) ^ s.c;
    s.c = rotated(s.c, 32);
    return s;
}

static inline struct state with_word(struct state s, uint64_t word)
{
    s.d ^= word;
    s = mixed(s);
    s.a ^= word;
    return s;
}

uint64_t gd_hash(struct gd_hash_key key, struct gd_span bytes)
{
    struct state s = {
        key.low ^ UINT64_C(0x736f6d6570736575), key.high ^ UINT64_C(0x646f72616e646f6d),
        key.low ^ UINT64_C(0x6c7967656e657261), key.high ^ UINT64_C(0x7465646279746573)};
    size_t at = 0;
    uint64_t word = 0;

    for (; bytes.len - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, bytes.ptr + at, sizeof(word));
        s = with_word(s, word);
    }
    word = 0;
    if (bytes.len > at)
        memcpy(&word, bytes.ptr + at, bytes.len - at);
    s = with_word(s, word | (uint64_t)bytes.len << 56);
    s.c ^= 0xff;
    s = mixed(mixed(mixed(s)));
    return s.a ^ s.b ^ s.c ^ s.d;
}
