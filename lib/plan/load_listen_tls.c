#include "base/log.h"
#include "plan/load_tls.h"
#include "plan/schema.h"
#include "plan/tls_server.h"

enum { CERTIFICATES_MAX = 256 };

/* Clients say what they think of it; that it will be so is told once, here. */
static void warn_of_dates(struct gd_loader *loader, const struct gd_yaml_node *node,
                          SSL_CTX *context)
{
    X509 *certificate = SSL_CTX_get0_certificate(context);
    struct gd_words place, name;
    const char *trouble = NULL;

    if (certificate == NULL)
        return;
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
        trouble = "has expired";
    else if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
        trouble = "is not valid yet";
    if (trouble)
        gd_log(GD_LOG_WARN, "%s: the certificate in %s %s",
               gd_words_place(&place, &loader->report, node),
               gd_words_quote(&name, node->text), trouble);
}

static void add_certificate(struct gd_loader *loader, const struct gd_yaml_node *cert,
                            const struct gd_yaml_node *key, struct gd_tls_server *server)
{
    SSL_CTX *context = gd_tls_server_add(server);

    gd_load_tls_pair(loader, cert, key, context);
    if (cert)
        warn_of_dates(loader, cert, context);
}

static void add_several(struct gd_loader *loader, const struct gd_yaml_node *list,
                        struct gd_tls_server *server)
{
    if (list->count == 0 || list->count > CERTIFICATES_MAX) {
        gd_report_value(&loader->report, list, "expected 1 to %d certificates, found %u",
                        CERTIFICATES_MAX, list->count);
        return;
    }
    for (const struct gd_yaml_node *node = list->first; node; node = node->next) {
        struct gd_draft_certificate draft = {0};
        struct gd_words words;

        if (node->kind != GD_YAML_MAP)
            gd_report_value(&loader->report, node,
                            "expected a map with cert and key, found %s",
                            gd_words_found(&words, node));
        else if (gd_schema_read(&loader->report, GD_SECTION_CERTIFICATE, node, &draft))
            add_certificate(loader, draft.cert, draft.key, server);
    }
}

struct asking {
    struct gd_tls_server *server;
    enum gd_tls_clients clients;
};

static bool on_client_ca(void *arg, struct gd_span pem, struct gd_err *err)
{
    struct asking *asking = arg;

    return gd_tls_server_ask_clients(asking->server, asking->clients, pem, err);
}

enum { NOT_GIVEN = GD_TLS_CLIENTS_REQUIRED + 1 };

static void load_clients(struct gd_loader *loader, const struct gd_yaml_node *map,
                         const struct gd_draft_listen_tls *draft,
                         struct gd_tls_server *server)
{
    struct asking asking = {server, GD_TLS_CLIENTS_REQUIRED};

    if (draft->client_verify < NOT_GIVEN)
        asking.clients = (enum gd_tls_clients)draft->client_verify;
    if (draft->client_ca && asking.clients == GD_TLS_CLIENTS_OFF)
        gd_report_key(&loader->report, draft->client_ca,
                      "has no effect with client_verify: off; remove one of the two");
    else if (draft->client_ca)
        gd_load_file(loader, draft->client_ca, on_client_ca, &asking);
    else if (draft->client_verify < NOT_GIVEN && asking.clients != GD_TLS_CLIENTS_OFF)
        gd_report_key(&loader->report, gd_yaml_get(map, "client_verify"),
                      "needs to know whose certificates: client_ca is missing");
}

static struct gd_tickets *tickets_of(struct gd_loader *loader)
{
    struct gd_plan *plan = loader->plan;
    const struct gd_load_options *options = loader->yaml.options;

    if (plan->tickets == NULL)
        plan->tickets = options && options->tickets ? gd_tickets_ref(options->tickets)
                                                    : gd_tickets_new();
    return plan->tickets;
}

struct gd_tls_server *gd_load_listen_tls(struct gd_loader *loader,
                                         const struct gd_yaml_node *map)
{
    struct gd_draft_listen_tls draft = {.cert = NULL};
    struct gd_tls_server *server;

    gd_schema_defaults(GD_SECTION_LISTEN_TLS, &draft);
    draft.client_verify = NOT_GIVEN;
    if (!gd_schema_read(&loader->report, GD_SECTION_LISTEN_TLS, map, &draft))
        return NULL;
    if (draft.cert == NULL && draft.key == NULL && draft.certificates == NULL) {
        gd_report_value(&loader->report, map, "needs a certificate: cert and key");
        return NULL;
    }
    server = gd_tls_server_new((enum gd_tls_version)draft.min_version,
                               draft.tickets ? tickets_of(loader) : NULL);
    if (draft.cert || draft.key)
        add_certificate(loader, draft.cert, draft.key, server);
    if (draft.certificates)
        add_several(loader, draft.certificates, server);
    load_clients(loader, map, &draft, server);
    if (gd_report_empty(&loader->report)) {
        gd_tls_server_finish(server);
        return server;
    }
    gd_tls_server_unref(server);
    return NULL;
}
