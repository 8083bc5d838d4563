#include <grp.h>
#include <pwd.h>

#include "plan/loader.h"
#include "plan/schema.h"
#include "plan/url.h"
#include "plan/value.h"

enum { TOKEN_MAX = 1024, LISTENS_MAX = 64, MODE_MAX = 0777 };

/* A port alone listens on all addresses, IPv4 and IPv6. */
static bool parse_port(struct gd_loader *loader, const struct gd_yaml_node *node,
                       struct gd_plan_address *out)
{
    struct gd_url url = {.host = GD_SPAN("::"), .ipv6 = true};
    struct gd_words words;
    uint64_t port;

    if (!gd_value_number(node->text, &port) || port > UINT16_MAX)
        return gd_report_value(&loader->report, node,
                               "%s is no port; ports are 1 to 65535",
                               gd_words_found(&words, node));
    url.port = (uint16_t)port;
    *out = gd_url_address(&loader->plan->arena, &url);
    return true;
}

/* https: as of gd_url_listen. */
static bool parse_address(struct gd_loader *loader, const struct gd_yaml_node *node,
                          struct gd_plan_address *out, bool *https)
{
    struct gd_words words;
    struct gd_err err;

    if (node->broken)
        return false;
    if (node->kind != GD_YAML_SCALAR || gd_yaml_is_null(node))
        return gd_report_value(
            &loader->report, node,
            "expected a port, http://HOST:PORT,%s unix:/PATH or systemd:NAME, found %s",
            https ? " https://HOST:PORT," : "", gd_words_found(&words, node));
    if (https)
        *https = false;
    if (gd_value_is_digits(node->text) && node->plain)
        return parse_port(loader, node, out);
    return gd_url_listen(&loader->plan->arena, node->text, out, https, &err) ||
           gd_report_value(&loader->report, node, "%s", err.text);
}

/* What the system would refuse at start; NULL when the address is free. */
static const struct gd_plan_address *
listens_already(const struct gd_plan *plan, const struct gd_plan_address *address)
{
    for (unsigned i = 0; i < plan->listen_count; i++)
        if (gd_address_overlaps(&plan->listens[i].address, address))
            return &plan->listens[i].address;
    return NULL;
}

/* Unix sockets ----------------------------------------------------------------------- */

static void load_mode(struct gd_loader *loader, const struct gd_yaml_node *node,
                      unsigned *out)
{
    struct gd_words words;
    unsigned mode = 0;
    bool ok = node->text.len >= 3 && node->text.len <= 4;

    for (size_t i = 0; ok && i < node->text.len; i++) {
        ok = node->text.ptr[i] >= '0' && node->text.ptr[i] <= '7';
        mode = mode * 8 + (unsigned)(node->text.ptr[i] - '0');
    }
    if (!ok || mode == 0 || mode > MODE_MAX)
        gd_report_value(&loader->report, node, "expected permissions like 0660, found %s",
                        gd_words_found(&words, node));
    *out = mode;
}

static bool find_user(const char *name, uint32_t *id)
{
    const struct passwd *user = getpwnam(name);

    *id = user ? user->pw_uid : 0;
    return user != NULL;
}

static bool find_group(const char *name, uint32_t *id)
{
    const struct group *group = getgrnam(name);

    *id = group ? group->gr_gid : 0;
    return group != NULL;
}

static void load_id(struct gd_loader *loader, const struct gd_yaml_node *node,
                    const char *what, bool (*find)(const char *name, uint32_t *id),
                    uint32_t *out)
{
    struct gd_words words;
    uint64_t number;

    if (gd_value_number(node->text, &number) && number < GD_ID_UNCHANGED)
        *out = (uint32_t)number;
    else if (!find(node->text.ptr, out))
        gd_report_value(&loader->report, node, "there is no %s %s on this machine", what,
                        gd_words_quote(&words, node->text));
}

/* Options of the file of a unix socket. */
static void load_file_options(struct gd_loader *loader,
                              const struct gd_draft_listen *draft,
                              struct gd_plan_listen *out)
{
    const struct gd_yaml_node *any = draft->mode    ? draft->mode
                                     : draft->owner ? draft->owner
                                                    : draft->group;

    if (any && out->address.kind != GD_ADDRESS_UNIX) {
        gd_report_key(&loader->report, any, "is for unix sockets only");
        return;
    }
    if (draft->mode)
        load_mode(loader, draft->mode, &out->mode);
    if (draft->owner)
        load_id(loader, draft->owner, "user", find_user, &out->owner);
    if (draft->group)
        load_id(loader, draft->group, "group", find_group, &out->group);
}

/* Listeners -------------------------------------------------------------------------- */

static void load_tls(struct gd_loader *loader, const struct gd_yaml_node *node,
                     const struct gd_draft_listen *draft, bool https,
                     struct gd_plan_listen *out)
{
    if (https && draft->tls == NULL)
        gd_report_value(&loader->report, node,
                        "https needs a certificate: write {url: …, tls: {cert: …, key: "
                        "…}}");
    else if (draft->tls && !https && out->address.kind == GD_ADDRESS_TCP)
        gd_report_key(&loader->report, draft->tls,
                      "has no effect: the url says http; write https");
    else if (draft->tls)
        out->tls = gd_load_listen_tls(loader, draft->tls);
}

/* A header that anybody may write would let clients say who they are. */
static void check_proxy(struct gd_loader *loader, const struct gd_yaml_node *node)
{
    const struct gd_trusted *trusted = &loader->plan->trusted;

    if (trusted->count == 0 && !trusted->unix_peers)
        gd_report_key(&loader->report, gd_yaml_get(node, "proxy_protocol"),
                      "would refuse every connection: trusted_proxies is missing");
}

static void check_address(struct gd_loader *loader, const struct gd_yaml_node *node,
                          const struct gd_plan_address *address)
{
    const struct gd_plan_address *other = listens_already(loader->plan, address);

    if (other && strcmp(other->text, address->text) == 0)
        gd_report_value(&loader->report, node, "%s stands twice", address->text);
    else if (other)
        gd_report_value(&loader->report, node,
                        "%s and %s overlap; one of them needs another port",
                        address->text, other->text);
}

static void add_listen(struct gd_loader *loader, const struct gd_yaml_node *node)
{
    struct gd_draft_listen draft = {.url = node};
    struct gd_plan_listen listen = {.owner = GD_ID_UNCHANGED, .group = GD_ID_UNCHANGED};
    bool https = false;

    gd_schema_defaults(GD_SECTION_LISTEN, &draft);
    if (node && node->kind == GD_YAML_MAP) {
        draft.url = NULL;
        if (!gd_schema_read(&loader->report, GD_SECTION_LISTEN, node, &draft))
            return;
    }
    listen.backlog = draft.backlog;
    listen.proxy_protocol = draft.proxy_protocol;
    if (draft.url == NULL)
        listen.address = gd_url_address(
            &loader->plan->arena,
            &(struct gd_url){.host = GD_SPAN("::"), .ipv6 = true, .port = 8080});
    else if (!parse_address(loader, draft.url, &listen.address, &https))
        return;
    if (draft.proxy_protocol)
        check_proxy(loader, node);
    load_file_options(loader, &draft, &listen);
    load_tls(loader, draft.url, &draft, https, &listen);
    if (draft.url)
        check_address(loader, draft.url, &listen.address);
    loader->plan->listens[loader->plan->listen_count++] = listen;
}

static void load_listens(struct gd_loader *loader)
{
    const struct gd_yaml_node *node = loader->top.listen;
    struct gd_plan *plan = loader->plan;

    plan->listens =
        gd_need(gd_arena_alloc(&plan->arena, LISTENS_MAX * sizeof(*plan->listens)));
    if (node == NULL || node->kind != GD_YAML_LIST) {
        add_listen(loader, node);
        return;
    }
    if (node->count == 0 || node->count > LISTENS_MAX) {
        gd_report_value(&loader->report, node, "expected 1 to %d addresses, found %u",
                        LISTENS_MAX, node->count);
        return;
    }
    for (node = node->first; node; node = node->next)
        add_listen(loader, node);
}

/* The admin endpoint ----------------------------------------------------------------- */

static void load_token(struct gd_loader *loader, const struct gd_yaml_node *node)
{
    struct gd_span token = node->text;

    for (size_t i = 0; i < token.len; i++)
        if (token.ptr[i] <= ' ' || token.ptr[i] > '~') {
            gd_report_value(&loader->report, node,
                            "a token has visible ASCII characters only");
            return;
        }
    if (token.len == 0 || token.len > TOKEN_MAX)
        gd_report_value(&loader->report, node, "a token has 1 to %d characters",
                        TOKEN_MAX);
    loader->plan->admin_token = gd_need(gd_arena_text(&loader->plan->arena, token));
}

/* Clients and operators cannot share an address. at: what has to be changed. */
static void check_admin(struct gd_loader *loader, const struct gd_yaml_node *at)
{
    const struct gd_plan_address *admin = &loader->plan->admin;
    const struct gd_plan_address *other = listens_already(loader->plan, admin);

    if (other)
        gd_report_value(&loader->report, at,
                        "clients connect to %s and operators to %s; one of them needs "
                        "another address",
                        other->text, admin->text);
}

static void load_admin(struct gd_loader *loader)
{
    const struct gd_yaml_node *node = loader->top.admin;
    struct gd_plan *plan = loader->plan;
    struct gd_draft_admin draft = {.url = node};
    struct gd_err err;

    plan->admin_on =
        !(node && node->kind == GD_YAML_SCALAR && gd_span_is(node->text, "off"));
    if (!plan->admin_on)
        return;
    if (node && node->kind == GD_YAML_MAP) {
        draft.url = NULL;
        if (!gd_schema_read(&loader->report, GD_SECTION_ADMIN, node, &draft))
            return;
    }
    if (draft.token)
        load_token(loader, draft.token);
    if (draft.url == NULL) {
        if (!gd_url_listen(&plan->arena, GD_SPAN("http://127.0.0.1:9901"), &plan->admin,
                           NULL, &err))
            gd_need(NULL);
        check_admin(loader, loader->top.listen);
        return;
    }
    if (!parse_address(loader, draft.url, &plan->admin, NULL))
        return;
    check_admin(loader, draft.url);
    if (draft.token == NULL && !gd_address_is_local(&plan->admin))
        gd_report_value(
            &loader->report, draft.url,
            "%s can be reached from other machines: write {url: …, token: …}, "
            "or use a loopback address",
            plan->admin.text);
}

void gd_load_listen(struct gd_loader *loader)
{
    load_listens(loader);
    load_admin(loader);
}
