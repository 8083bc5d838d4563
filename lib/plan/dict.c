#include "plan/dict.h"

#include "base/mem.h"

struct gd_dict_slot {
    struct gd_span name;
    void *value; /* NULL: free */
};

static uint64_t hash_of(struct gd_span name)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.ptr[i]) * 1099511628211u;
    return hash ^ (hash >> 32);
}

static struct gd_dict_slot *slot_of(const struct gd_dict *dict, struct gd_span name)
{
    size_t at = hash_of(name) & (dict->cap - 1);

    while (dict->slots[at].value && !gd_span_eq(dict->slots[at].name, name))
        at = (at + 1) & (dict->cap - 1);
    return &dict->slots[at];
}

void *gd_dict_get(const struct gd_dict *dict, struct gd_span name)
{
    return dict->cap ? slot_of(dict, name)->value : NULL;
}

static void dict_grow(struct gd_dict *dict)
{
    struct gd_dict old = *dict;

    dict->cap = old.cap ? old.cap * 2 : 16;
    dict->slots = gd_alloc_array(dict->cap, sizeof(*dict->slots));
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].value)
            *slot_of(dict, old.slots[i].name) = old.slots[i];
    gd_free(old.slots);
}

void gd_dict_put(struct gd_dict *dict, struct gd_span name, void *value)
{
    struct gd_dict_slot *slot;

    if (dict->count * 2 >= dict->cap)
        dict_grow(dict);
    slot = slot_of(dict, name);
    if (slot->value == NULL)
        dict->count++;
    *slot = (struct gd_dict_slot){name, value};
}

void gd_dict_free(struct gd_dict *dict)
{
    gd_free(dict->slots);
    *dict = (struct gd_dict){0};
}
