#include "plan/loader.h"
#include "plan/schema.h"
#include "plan/url.h"
#include "plan/value.h"

enum { TOKEN_MAX = 1024, LISTENS_MAX = 64 };

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

static bool parse_address(struct gd_loader *loader, const struct gd_yaml_node *node,
                          struct gd_plan_address *out)
{
    struct gd_words words;
    struct gd_err err;

    if (node->broken)
        return false;
    if (node->kind != GD_YAML_SCALAR || gd_yaml_is_null(node))
        return gd_report_value(
            &loader->report, node,
            "expected a port, http://HOST:PORT or unix:/PATH, found %s",
            gd_words_found(&words, node));
    if (gd_value_is_digits(node->text) && node->plain)
        return parse_port(loader, node, out);
    return gd_url_listen(&loader->plan->arena, node->text, out, &err) ||
           gd_report_value(&loader->report, node, "%s", err.text);
}

/* What the system would refuse at start; NULL when the address is free. */
static const struct gd_plan_address *
listens_already(const struct gd_plan *plan, const struct gd_plan_address *address)
{
    for (unsigned i = 0; i < plan->listen_count; i++)
        if (gd_address_overlaps(&plan->listens[i], address))
            return &plan->listens[i];
    return NULL;
}

static void add_listen(struct gd_loader *loader, const struct gd_yaml_node *node)
{
    struct gd_plan *plan = loader->plan;
    const struct gd_plan_address *other;
    struct gd_plan_address address;

    if (!parse_address(loader, node, &address))
        return;
    other = listens_already(plan, &address);
    if (other == NULL)
        plan->listens[plan->listen_count++] = address;
    else if (strcmp(other->text, address.text) == 0)
        gd_report_value(&loader->report, node, "%s stands twice", address.text);
    else
        gd_report_value(&loader->report, node,
                        "%s and %s overlap; one of them needs another port", address.text,
                        other->text);
}

static void load_listens(struct gd_loader *loader)
{
    const struct gd_yaml_node *node = loader->top.listen;
    struct gd_plan *plan = loader->plan;

    plan->listens =
        gd_need(gd_arena_alloc(&plan->arena, LISTENS_MAX * sizeof(*plan->listens)));
    if (node == NULL) {
        struct gd_url url = {.host = GD_SPAN("::"), .ipv6 = true, .port = 8080};

        plan->listens[plan->listen_count++] = gd_url_address(&plan->arena, &url);
    } else if (node->kind == GD_YAML_LIST) {
        if (node->count == 0 || node->count > LISTENS_MAX) {
            gd_report_value(&loader->report, node, "expected 1 to %d addresses, found %u",
                            LISTENS_MAX, node->count);
            return;
        }
        for (node = node->first; node; node = node->next)
            add_listen(loader, node);
    } else {
        add_listen(loader, node);
    }
}

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
                           &err))
            gd_need(NULL);
        check_admin(loader, loader->top.listen);
        return;
    }
    if (!parse_address(loader, draft.url, &plan->admin))
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
