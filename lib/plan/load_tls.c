#include <openssl/crypto.h>

#include "base/mem.h"
#include "plan/loader.h"
#include "plan/tls_context.h"
#include "plan/url.h"

/* A file as named in a configuration: relative to the folder of the file that names it.
 */
static char *full_path(struct gd_loader *loader, const struct gd_yaml_node *node)
{
    const char *file = loader->report.files[node->file];
    const char *slash = strrchr(file, '/');
    size_t dir = node->text.ptr[0] != '/' && slash ? (size_t)(slash - file) + 1 : 0;
    char *full = gd_alloc(dir + node->text.len + 1);

    memcpy(full, file, dir);
    memcpy(full + dir, node->text.ptr, node->text.len);
    return full;
}

/* Reads the file of an option and gives its text to use. */
static void use_file(struct gd_loader *loader, const struct gd_yaml_node *node,
                     SSL_CTX *context,
                     bool (*use)(SSL_CTX *, struct gd_span, struct gd_err *))
{
    struct gd_words words;
    struct gd_buf text;
    struct gd_err err;
    char *path;

    if (node == NULL || node->broken)
        return;
    if (node->text.len == 0) {
        gd_report_value(&loader->report, node, "expected the name of a file");
        return;
    }
    path = full_path(loader, node);
    gd_buf_init(&text, NULL, GD_TLS_FILE_MAX);
    if (!gd_yaml_read(path, false, GD_TLS_FILE_MAX, &text, &err) ||
        !use(context, gd_buf_span(&text), &err))
        gd_report_value(&loader->report, node, "%s %s",
                        gd_words_quote(&words, gd_span_of(path)), err.text);
    gd_digest_bytes(loader->digest, gd_buf_span(&text));
    if (text.data)
        OPENSSL_cleanse(text.data, text.cap);
    gd_buf_free(&text);
    gd_free(path);
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
        use_file(loader, draft->ca, context, gd_tls_context_trust);
}

static void load_own(struct gd_loader *loader, const struct gd_draft_tls *draft,
                     SSL_CTX *context)
{
    if (draft->cert && draft->key == NULL)
        gd_report_key(&loader->report, draft->cert, "needs its key: key is missing");
    else if (draft->key && draft->cert == NULL)
        gd_report_key(&loader->report, draft->key,
                      "needs its certificate: cert is missing");
    if (draft->cert == NULL || draft->key == NULL)
        return;
    use_file(loader, draft->cert, context, gd_tls_context_use_chain);
    /* Without a certificate there is nothing the key could belong to. */
    if (SSL_CTX_get0_certificate(context))
        use_file(loader, draft->key, context, gd_tls_context_use_key);
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
    load_own(loader, draft, tls->context);
    load_name(loader, draft->server_name, tls);
}
