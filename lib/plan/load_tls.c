#include "plan/load_tls.h"
#include "plan/url.h"

/* What a file is read for. */
struct reading {
    SSL_CTX *context;
    bool (*use)(SSL_CTX *context, struct gd_span text, struct gd_err *err);
};

static bool on_file(void *arg, struct gd_span text, struct gd_err *err)
{
    struct reading *reading = arg;

    return reading->use(reading->context, text, err);
}

bool gd_load_tls_file(struct gd_loader *loader, const struct gd_yaml_node *node,
                      SSL_CTX *context,
                      bool (*use)(SSL_CTX *, struct gd_span, struct gd_err *))
{
    struct reading reading = {context, use};

    return gd_load_file(loader, node, on_file, &reading);
}

/* All upstreams that trust the system's roots share one store of them. */
static void trust_system(struct gd_loader *loader, SSL_CTX *context)
{
    if (loader->trusted_cas == NULL) {
        loader->trusted_cas = gd_need(X509_STORE_new());
        X509_STORE_set_default_paths(loader->trusted_cas);
    }
    SSL_CTX_set1_cert_store(context, loader->trusted_cas);
}

static void load_trust(struct gd_loader *loader, const struct gd_draft_tls *draft,
                       SSL_CTX *context)
{
    if (draft->ca == NULL || gd_span_is(draft->ca->text, "system"))
        trust_system(loader, context);
    else if (!draft->verify)
        gd_report_key(&loader->report, draft->ca,
                      "nothing is verified with verify: false; remove one of the two");
    else
        gd_load_tls_file(loader, draft->ca, context, gd_tls_context_trust);
}

void gd_load_tls_pair(struct gd_loader *loader, const struct gd_yaml_node *cert,
                      const struct gd_yaml_node *key, SSL_CTX *context)
{
    if (cert && key == NULL)
        gd_report_key(&loader->report, cert, "needs its key: key is missing");
    else if (key && cert == NULL)
        gd_report_key(&loader->report, key, "needs its certificate: cert is missing");
    /* Without a certificate there is nothing the key could belong to. */
    if (cert && key && gd_load_tls_file(loader, cert, context, gd_tls_context_use_chain))
        gd_load_tls_file(loader, key, context, gd_tls_context_use_key);
}

static void load_name(struct gd_loader *loader, const struct gd_yaml_node *node,
                      struct gd_plan_tls *tls)
{
    struct gd_words words;

    if (node == NULL || node->broken || gd_span_is(node->text, "auto"))
        return;
    if (gd_host_is_valid(node->text))
        tls->server_name = gd_need(gd_arena_text(&loader->plan->arena, node->text));
    else
        gd_report_value(&loader->report, node,
                        "expected auto, a host name or an address, found %s",
                        gd_words_quote(&words, node->text));
}

static bool has_https(const struct gd_plan_upstream *upstream)
{
    for (unsigned i = 0; i < upstream->server_count; i++)
        if (upstream->servers[i].https)
            return true;
    return false;
}

void gd_load_tls(struct gd_loader *loader, const struct gd_yaml_node *map,
                 const struct gd_draft_tls *draft, struct gd_plan_upstream *upstream)
{
    const struct gd_yaml_node *node = map ? gd_yaml_get(map, "tls") : NULL;
    struct gd_plan_tls *tls;

    if (!has_https(upstream)) {
        /* A server that was refused may have been the one. */
        if (node && (upstream->server_count || upstream->mock))
            gd_report_key(&loader->report, node,
                          "has no effect: the upstream has no https server");
        return;
    }
    tls = gd_need(gd_arena_alloc(&loader->plan->arena, sizeof(*tls)));
    *tls = (struct gd_plan_tls){.verify = draft->verify,
                                .min_version = (enum gd_tls_version)draft->min_version};
    tls->context = gd_tls_context_new(tls->verify, tls->min_version);
    if (upstream->http != GD_HTTP_1)
        gd_tls_context_offer_h2(tls->context, upstream->http == GD_HTTP_2);
    upstream->tls = tls;
    load_trust(loader, draft, tls->context);
    gd_load_tls_pair(loader, draft->cert, draft->key, tls->context);
    load_name(loader, draft->server_name, tls);
}
