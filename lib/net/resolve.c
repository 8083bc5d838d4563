#include "net/resolve.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "net/found.h"

/* Answers by UDP up to this size need no TCP, and are not cut up on the way. */
enum { EDNS_BYTES = 1232 };

/* A socket of the library, watched by the loop. */
struct watch {
    struct gd_resolver *resolver;
    struct watch *next;
    int fd;
    struct event event;
    struct gd_grave grave;
};

struct gd_resolver {
    struct gd_loop *loop;
    ares_channel channel;
    bool open; /* the channel is there */
    uint32_t timeout_ms;
    struct gd_timer timer; /* of the library */
    struct watch *watches;
    struct gd_lookup *lookups; /* that have not been told */
};

/* One question of a lookup. */
struct question {
    struct gd_lookup *lookup;
    int type;
    bool open; /* the library has not answered yet */
};

struct gd_lookup {
    struct gd_resolver *resolver;
    struct gd_lookup *next, *prev;
    gd_on_found *on_found; /* NULL: told, or cancelled */
    void *arg;
    struct question questions[2];
    struct gd_found found[2];
    struct gd_timer deadline;
    struct gd_work work;
    char name[GD_HOST_MAX];
};

/* The library and the loop --------------------------------------------------------------
 */

static void arm(struct gd_resolver *resolver)
{
    struct timeval tv, *left = ares_timeout(resolver->channel, NULL, &tv);

    if (left == NULL)
        gd_timer_disarm(&resolver->timer);
    else
        gd_timer_arm(&resolver->timer, (uint32_t)(left->tv_sec * 1000) +
                                           (uint32_t)(left->tv_usec / 1000) + 1);
}

static void on_timer(void *arg)
{
    struct gd_resolver *resolver = arg;

    ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    arm(resolver);
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    struct watch *watch = arg;
    struct gd_resolver *resolver = watch->resolver;

    ares_process_fd(resolver->channel, what & EV_READ ? fd : ARES_SOCKET_BAD,
                    what & EV_WRITE ? fd : ARES_SOCKET_BAD);
    arm(resolver);
}

static struct watch *watch_of(struct gd_resolver *resolver, int fd)
{
    struct watch *watch = resolver->watches;

    while (watch && watch->fd != fd)
        watch = watch->next;
    if (watch)
        return watch;
    watch = gd_alloc(sizeof(*watch));
    *watch = (struct watch){.resolver = resolver, .next = resolver->watches, .fd = fd};
    event_assign(&watch->event, gd_loop_base(resolver->loop), fd, EV_READ, on_socket,
                 watch);
    resolver->watches = watch;
    return watch;
}

/* It may be the one whose callback runs. */
static void unwatch(struct watch *watch)
{
    struct watch **at = &watch->resolver->watches;

    while (*at != watch)
        at = &(*at)->next;
    *at = watch->next;
    gd_loop_bury(watch->resolver->loop, &watch->grave, gd_free, watch);
}

static void on_socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct gd_resolver *resolver = arg;
    struct watch *watch = watch_of(resolver, fd);

    event_del(&watch->event);
    if (!readable && !writable) {
        unwatch(watch);
        return;
    }
    event_assign(
        &watch->event, gd_loop_base(resolver->loop), fd,
        (short)((readable ? EV_READ : 0) | (writable ? EV_WRITE : 0) | EV_PERSIST),
        on_socket, watch);
    gd_loop_must(event_add(&watch->event, NULL) == 0);
}

struct gd_resolver *gd_resolver_new(struct gd_loop *loop,
                                    const struct gd_plan_resolver *plan,
                                    struct gd_err *err)
{
    struct gd_resolver *resolver = gd_alloc(sizeof(*resolver));
    char lookups[] = "f"; /* of ares_getaddrinfo, which is only asked for the file */
    struct ares_options options = {
        .flags = ARES_FLAG_EDNS,
        .timeout = (int)(plan->timeout_ms / ((1u << plan->tries) - 1)) + 1,
        .tries = (int)plan->tries,
        .ednspsz = EDNS_BYTES,
        .lookups = lookups,
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = resolver,
    };
    int status;

    resolver->loop = loop;
    resolver->timeout_ms = plan->timeout_ms;
    gd_timer_init(&resolver->timer, loop, on_timer, resolver);
    status = ares_library_init(ARES_LIB_INIT_ALL);
    if (status == ARES_SUCCESS)
        status = ares_init_options(&resolver->channel, &options,
                                   ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                       ARES_OPT_EDNSPSZ | ARES_OPT_LOOKUPS |
                                       ARES_OPT_SOCK_STATE_CB);
    resolver->open = status == ARES_SUCCESS;
    if (resolver->open && plan->servers)
        status = ares_set_servers_ports_csv(resolver->channel, plan->servers);
    if (status == ARES_SUCCESS)
        return resolver;
    gd_err_set(err, "names cannot be looked up: %s", ares_strerror(status));
    gd_resolver_free(resolver);
    return NULL;
}

void gd_resolver_free(struct gd_resolver *resolver)
{
    if (resolver == NULL)
        return;
    while (resolver->lookups)
        gd_lookup_cancel(resolver->lookups);
    if (resolver->open)
        ares_destroy(resolver->channel);
    ares_library_cleanup();
    gd_timer_disarm(&resolver->timer);
    gd_free(resolver);
}

/* Lookups -------------------------------------------------------------------------------
 */

static void free_lookup(struct gd_lookup *lookup)
{
    for (int i = 0; i < 2; i++) {
        gd_free(lookup->found[i].addresses);
        gd_free(lookup->found[i].services);
    }
    gd_free(lookup);
}

/* Takes it out of those that are to be told; the library may still know it. */
static void retire(struct gd_lookup *lookup)
{
    *(lookup->prev ? &lookup->prev->next : &lookup->resolver->lookups) = lookup->next;
    if (lookup->next)
        lookup->next->prev = lookup->prev;
    gd_timer_disarm(&lookup->deadline);
    gd_work_cancel(&lookup->work);
    lookup->on_found = NULL;
}

static bool is_open(const struct gd_lookup *lookup)
{
    return lookup->questions[0].open || lookup->questions[1].open;
}

static void tell(void *arg)
{
    struct gd_lookup *lookup = arg;
    gd_on_found *on_found = lookup->on_found;

    retire(lookup);
    on_found(lookup->arg, lookup->found);
    if (!is_open(lookup))
        free_lookup(lookup);
}

static void finish(struct gd_lookup *lookup)
{
    gd_timer_disarm(&lookup->deadline);
    if (!gd_work_queued(&lookup->work))
        gd_loop_defer(lookup->resolver->loop, &lookup->work, tell, lookup);
}

static void on_deadline(void *arg)
{
    struct gd_lookup *lookup = arg;

    for (int i = 0; i < 2; i++)
        if (lookup->questions[i].open)
            gd_found_fail(&lookup->found[i], ARES_ETIMEOUT);
    finish(lookup);
}

void gd_lookup_cancel(struct gd_lookup *lookup)
{
    if (lookup == NULL)
        return;
    retire(lookup);
    if (!is_open(lookup))
        free_lookup(lookup);
}

/* Returns a lookup with its deadline armed. */
static struct gd_lookup *lookup_new(struct gd_resolver *resolver, const char *name,
                                    gd_on_found *on_found, void *arg)
{
    struct gd_lookup *lookup = gd_alloc(sizeof(*lookup));

    lookup->resolver = resolver;
    lookup->on_found = on_found;
    lookup->arg = arg;
    snprintf(lookup->name, sizeof(lookup->name), "%s", name);
    lookup->next = resolver->lookups;
    if (lookup->next)
        lookup->next->prev = lookup;
    resolver->lookups = lookup;
    gd_timer_init(&lookup->deadline, resolver->loop, on_deadline, lookup);
    gd_timer_arm(&lookup->deadline, resolver->timeout_ms);
    return lookup;
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
    struct question *question = arg;
    struct gd_lookup *lookup = question->lookup;
    struct gd_found *found = &lookup->found[question - lookup->questions];

    (void)timeouts;
    question->open = false;
    if (lookup->on_found == NULL) {
        if (!is_open(lookup))
            free_lookup(lookup);
        return;
    }
    if (gd_work_queued(&lookup->work)) /* at its deadline: it is too late */
        return;
    found->ttl_ms = UINT32_MAX;
    if (status == ARES_SUCCESS)
        status = question->type == ns_t_srv
                     ? gd_found_read_services(bytes, len, found)
                     : gd_found_read_addresses(question->type, bytes, len, found);
    if (status != ARES_SUCCESS)
        gd_found_fail(found, status);
    if (!is_open(lookup))
        finish(lookup);
}

static void ask(struct gd_lookup *lookup, unsigned index, int type)
{
    struct question *question = &lookup->questions[index];

    *question = (struct question){.lookup = lookup, .type = type, .open = true};
    ares_search(lookup->resolver->channel, lookup->name, ns_c_in, type, on_answer,
                question);
}

/* The hosts file ------------------------------------------------------------------------
 */

static void on_file(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
    struct gd_lookup *lookup = arg;

    (void)timeouts;
    if (status != ARES_SUCCESS || info == NULL)
        return;
    for (const struct ares_addrinfo_node *node = info->nodes; node;
         node = node->ai_next) {
        if (node->ai_family == AF_INET6)
            gd_found_add(&lookup->found[0], AF_INET6,
                         &((const struct sockaddr_in6 *)node->ai_addr)->sin6_addr);
        else if (node->ai_family == AF_INET)
            gd_found_add(&lookup->found[1], AF_INET,
                         &((const struct sockaddr_in *)node->ai_addr)->sin_addr);
    }
    ares_freeaddrinfo(info);
}

/* Names that mean this machine wherever they are asked for (RFC 6761). */
static bool is_localhost(struct gd_span name)
{
    const struct gd_span local = GD_SPAN("localhost");

    if (name.len && name.ptr[name.len - 1] == '.')
        name.len--;
    return gd_span_ieq(name, local) ||
           (name.len > local.len && name.ptr[name.len - local.len - 1] == '.' &&
            gd_span_ieq((struct gd_span){name.ptr + name.len - local.len, local.len},
                        local));
}

/* Whether the name needs no nameserver. */
static bool is_known_here(struct gd_lookup *lookup)
{
    const struct ares_addrinfo_hints hints = {
        .ai_flags = ARES_AI_ENVHOSTS | ARES_AI_NOSORT, .ai_family = AF_UNSPEC};
    const in_addr_t loopback = htonl(INADDR_LOOPBACK);

    ares_getaddrinfo(lookup->resolver->channel, lookup->name, NULL, &hints, on_file,
                     lookup);
    if (lookup->found[0].count == 0 && lookup->found[1].count == 0 &&
        is_localhost(gd_span_of(lookup->name))) {
        gd_found_add(&lookup->found[0], AF_INET6, &in6addr_loopback);
        gd_found_add(&lookup->found[1], AF_INET, &loopback);
    }
    for (int i = 0; i < 2; i++) {
        lookup->found[i].ttl_ms = GD_HOSTS_TTL_MS;
        if (lookup->found[i].count == 0)
            gd_found_fail(&lookup->found[i], ARES_ENODATA);
    }
    return lookup->found[0].count || lookup->found[1].count;
}

struct gd_lookup *gd_resolve_host(struct gd_resolver *resolver, const char *name,
                                  gd_on_found *on_found, void *arg)
{
    struct gd_lookup *lookup = lookup_new(resolver, name, on_found, arg);

    if (is_known_here(lookup)) {
        finish(lookup);
        return lookup;
    }
    lookup->questions[1].open = true; /* the first may be answered at once */
    ask(lookup, 0, ns_t_aaaa);
    ask(lookup, 1, ns_t_a);
    arm(resolver);
    return lookup;
}

struct gd_lookup *gd_resolve_service(struct gd_resolver *resolver, const char *name,
                                     gd_on_found *on_found, void *arg)
{
    struct gd_lookup *lookup = lookup_new(resolver, name, on_found, arg);

    gd_found_fail(&lookup->found[1], ARES_ENODATA);
    ask(lookup, 0, ns_t_srv);
    arm(resolver);
    return lookup;
}
