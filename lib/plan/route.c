#include "plan/route.h"

#include <limits.h>

/* The methods of one place in the tree. Entries are index + 1, so that 0 is none. */
struct leaf {
    unsigned known[GD_METHODS]; /* that of OTHER stands for any method */
    uint32_t allow;             /* bits of the methods */
    struct extension *extensions;
};

struct extension {
    struct extension *next;
    struct gd_span text;
    unsigned index;
};

/* A place in the tree: the segments from the root to it. Literal children are not listed
 * here: the router's table has them by (parent, segment). */
struct node {
    struct node *parent; /* these four: the literal way here; parent NULL if none */
    struct gd_span segment;
    uint64_t hash;
    uint32_t id; /* makes equal segments of different parents differ */
    bool has_literals;
    struct node *param; /* the child for {x} */
    struct leaf *end;   /* patterns that end here */
    struct leaf *tail;  /* patterns that end in {x...} one segment below */
};

struct gd_router {
    struct gd_arena *arena;
    struct node *hosts;    /* its literal children are the roots of hosts */
    struct node *any_host; /* the root for patterns without host */
    struct node **slots;   /* open addressing, at most half full */
    size_t slot_count;     /* a power of two */
    size_t used;
    size_t longest; /* literal segment or host, bytes */
    uint32_t nodes;
};

/* Table of literal children ------------------------------------------------------------
 */

static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * 0x9E3779B97F4A7C15ULL;
    return h ^ h >> 29;
}

/* Keys come from the configuration only, so this needs no secret. */
static uint64_t hash_of(const struct node *parent, struct gd_span segment)
{
    uint64_t h = mix(parent->id, segment.len);
    uint64_t word;

    for (; segment.len >= sizeof(word); segment.len -= sizeof(word)) {
        memcpy(&word, segment.ptr, sizeof(word));
        h = mix(h, word);
        segment.ptr += sizeof(word);
    }
    if (segment.len) {
        word = 0;
        memcpy(&word, segment.ptr, segment.len);
        h = mix(h, word);
    }
    return h ^ h >> 32;
}

/* Returns the slot of the child, or the free one where it belongs; adds the slots looked
 * at to *steps. */
static struct node **slot_of(const struct gd_router *router, const struct node *parent,
                             struct gd_span segment, uint64_t hash, unsigned *steps)
{
    size_t mask = router->slot_count - 1;
    size_t i = hash & mask;

    for (;; i = (i + 1) & mask) {
        struct node *node = router->slots[i];

        ++*steps;
        if (node == NULL || (node->hash == hash && node->parent == parent &&
                             gd_span_eq(node->segment, segment)))
            return &router->slots[i];
    }
}

static struct node *child_of(const struct gd_router *router, const struct node *parent,
                             struct gd_span segment, unsigned *steps)
{
    if (!parent->has_literals || segment.len > router->longest)
        return NULL;
    return *slot_of(router, parent, segment, hash_of(parent, segment), steps);
}

/* Building ----------------------------------------------------------------------------
 */

static struct node *node_new(struct gd_router *router)
{
    struct node *node = gd_arena_alloc(router->arena, sizeof(*node));

    if (node)
        node->id = router->nodes++;
    return node;
}

static bool table_grow(struct gd_router *router)
{
    struct gd_router old = *router;
    size_t count = old.slot_count ? old.slot_count * 2 : 32;
    struct node **slots = gd_arena_alloc(router->arena, count * sizeof(struct node *));
    unsigned steps = 0;

    if (slots == NULL)
        return false;
    router->slots = slots;
    router->slot_count = count;
    for (size_t i = 0; i < old.slot_count; i++) {
        struct node *node = old.slots[i];

        if (node)
            *slot_of(router, node->parent, node->segment, node->hash, &steps) = node;
    }
    return true;
}

struct gd_router *gd_router_new(struct gd_arena *arena)
{
    struct gd_router *router = gd_arena_alloc(arena, sizeof(*router));

    if (router == NULL)
        return NULL;
    router->arena = arena;
    router->hosts = node_new(router);
    router->any_host = node_new(router);
    if (!router->hosts || !router->any_host || !table_grow(router))
        return NULL;
    return router;
}

/* Returns the literal child, made if it is not there; NULL without memory. */
static struct node *child_make(struct gd_router *router, struct node *parent,
                               struct gd_span segment)
{
    uint64_t hash = hash_of(parent, segment);
    unsigned steps = 0;
    struct node **slot = slot_of(router, parent, segment, hash, &steps);
    struct node *node;

    if (*slot)
        return *slot;
    node = node_new(router);
    if (node == NULL)
        return NULL;
    if ((router->used + 1) * 2 > router->slot_count) {
        if (!table_grow(router))
            return NULL;
        slot = slot_of(router, parent, segment, hash, &steps);
    }
    node->parent = parent;
    node->segment = segment;
    node->hash = hash;
    *slot = node;
    router->used++;
    parent->has_literals = true;
    if (segment.len > router->longest)
        router->longest = segment.len;
    return node;
}

static struct leaf *leaf_make(struct gd_router *router, struct leaf **where)
{
    if (*where == NULL)
        *where = gd_arena_alloc(router->arena, sizeof(**where));
    return *where;
}

/* Returns the leaf of the pattern, made with all nodes above it; NULL without memory. */
static struct leaf *leaf_of(struct gd_router *router, const struct gd_pattern *pattern)
{
    struct node *node = router->any_host;
    struct gd_span path = pattern->path;
    size_t at = 1;

    if (pattern->host.len)
        node = child_make(router, router->hosts, pattern->host);
    while (node && at <= path.len) {
        const char *slash = memchr(path.ptr + at, '/', path.len - at);
        size_t end = slash ? (size_t)(slash - path.ptr) : path.len;
        struct gd_span segment = {path.ptr + at, end - at};

        at = end + 1;
        if (segment.len == 0 || segment.ptr[0] != '{') {
            node = child_make(router, node, segment);
            continue;
        }
        if (slash == NULL && pattern->tail)
            return leaf_make(router, &node->tail);
        if (node->param == NULL)
            node->param = node_new(router);
        node = node->param;
    }
    return node ? leaf_make(router, &node->end) : NULL;
}

static bool extension_add(struct gd_router *router, struct leaf *leaf,
                          const struct gd_pattern *pattern, unsigned index,
                          unsigned *other)
{
    struct extension *extension;

    for (extension = leaf->extensions; extension; extension = extension->next) {
        if (gd_span_eq(extension->text, pattern->method_text)) {
            *other = extension->index;
            return false;
        }
    }
    extension = gd_arena_alloc(router->arena, sizeof(*extension));
    if (extension == NULL)
        return false;
    extension->text = pattern->method_text;
    extension->index = index;
    extension->next = leaf->extensions;
    leaf->extensions = extension;
    leaf->allow |= 1u << GD_METHOD_OTHER;
    return true;
}

bool gd_router_add(struct gd_router *router, const struct gd_pattern *pattern,
                   unsigned index, unsigned *other)
{
    struct leaf *leaf = leaf_of(router, pattern);
    unsigned *entry;

    *other = UINT_MAX;
    if (leaf == NULL)
        return false;
    if (pattern->method == GD_METHOD_OTHER && pattern->method_text.len)
        return extension_add(router, leaf, pattern, index, other);
    entry = &leaf->known[pattern->method];
    if (*entry) {
        *other = *entry - 1;
        return false;
    }
    *entry = index + 1;
    leaf->allow |= 1u << pattern->method;
    if (pattern->method == GD_METHOD_GET)
        leaf->allow |= 1u << GD_METHOD_HEAD;
    return true;
}

/* Matching ----------------------------------------------------------------------------
 */

struct walk {
    const struct gd_router *router;
    enum gd_method method;
    struct gd_span method_text;
    struct gd_span path;
    /* Segment i is path[starts[i], starts[i + 1] - 1). One more than a pattern can have:
     * a longer path then meets no end, only tails. */
    size_t starts[GD_SEGMENTS_MAX + 2];
    unsigned count;
    struct gd_match *match;
};

static void split(struct walk *walk)
{
    struct gd_span path = walk->path;
    size_t at = 1;

    walk->count = 0;
    walk->starts[0] = at;
    while (at <= path.len && walk->count <= GD_SEGMENTS_MAX) {
        const char *slash = memchr(path.ptr + at, '/', path.len - at);

        at = (slash ? (size_t)(slash - path.ptr) : path.len) + 1;
        walk->starts[++walk->count] = at;
    }
}

/* Takes the leaf if the method fits; else notes what it would have allowed. */
static bool take(struct walk *walk, const struct leaf *leaf, unsigned params)
{
    unsigned entry = 0;

    if (walk->method != GD_METHOD_OTHER) {
        entry = leaf->known[walk->method];
        if (entry == 0 && walk->method == GD_METHOD_HEAD)
            entry = leaf->known[GD_METHOD_GET];
    } else {
        const struct extension *extension = leaf->extensions;

        while (extension && !gd_span_eq(extension->text, walk->method_text))
            extension = extension->next;
        if (extension)
            entry = extension->index + 1;
    }
    if (entry == 0)
        entry = leaf->known[GD_METHOD_OTHER];
    if (entry == 0) {
        walk->match->allow |= leaf->allow;
        return false;
    }
    walk->match->index = entry - 1;
    walk->match->param_count = params;
    return true;
}

static bool visit(struct walk *walk, const struct node *node, unsigned depth,
                  unsigned params)
{
    struct gd_match *match = walk->match;
    struct gd_span segment;
    const struct node *child;

    match->steps++;
    if (depth == walk->count)
        return node->end && take(walk, node->end, params);
    segment.ptr = walk->path.ptr + walk->starts[depth];
    segment.len = walk->starts[depth + 1] - 1 - walk->starts[depth];
    child = child_of(walk->router, node, segment, &match->steps);
    if (child && visit(walk, child, depth + 1, params))
        return true;
    if (node->param && segment.len) {
        match->params[params] = segment;
        if (visit(walk, node->param, depth + 1, params + 1))
            return true;
    }
    if (node->tail == NULL)
        return false;
    segment.len = walk->path.len - walk->starts[depth];
    match->params[params] = segment;
    return take(walk, node->tail, params + 1);
}

struct gd_span gd_router_host(struct gd_span host, char *room)
{
    const char *end;

    if (host.len == 0)
        return host;
    end = memchr(host.ptr, host.ptr[0] == '[' ? ']' : ':', host.len);
    if (end)
        host.len = (size_t)(end - host.ptr) + (*end == ']');
    if (host.len > 1 && host.ptr[host.len - 1] == '.')
        host.len--;
    if (host.len > GD_HOST_MAX)
        return GD_SPAN_NONE;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];

        room[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    host.ptr = room;
    return host;
}

/* Finds the root of a host as sent; NULL when no pattern names it. */
static const struct node *host_root(const struct gd_router *router, struct gd_span host,
                                    unsigned *steps)
{
    char room[GD_HOST_MAX];

    if (!router->hosts->has_literals)
        return NULL;
    host = gd_router_host(host, room);
    return host.len ? child_of(router, router->hosts, host, steps) : NULL;
}

enum gd_match_result gd_router_match(const struct gd_router *router,
                                     enum gd_method method, struct gd_span method_text,
                                     struct gd_span host, struct gd_span path,
                                     struct gd_match *match)
{
    struct walk walk;
    const struct node *root;

    match->param_count = 0;
    match->allow = 0;
    match->steps = 0;
    if (path.len == 0 || path.ptr[0] != '/')
        return GD_MATCH_NONE;
    walk.router = router;
    walk.method = method;
    walk.method_text = method_text;
    walk.path = path;
    walk.match = match;
    split(&walk);
    root = host_root(router, host, &match->steps);
    if (root && visit(&walk, root, 0, 0))
        return GD_MATCH_FOUND;
    if (visit(&walk, router->any_host, 0, 0))
        return GD_MATCH_FOUND;
    return match->allow ? GD_MATCH_OTHER_METHOD : GD_MATCH_NONE;
}
