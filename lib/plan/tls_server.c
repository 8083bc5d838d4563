#include "plan/tls_server.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/dict.h"

enum { NAME_MAX_BYTES = 255 };

struct gd_tls_server {
    _Atomic unsigned refs;
    enum gd_tls_version min_version;
    struct gd_tickets *tickets;
    SSL_CTX **contexts; /* of the certificates, in the order of the file */
    unsigned count;
    struct gd_dict names; /* in small letters, wildcards as `*.…` → context */
    char **owned;         /* the text of the names */
    size_t owned_count;
    X509_STORE *client_cas;
    STACK_OF(X509_NAME) * client_names;
    int verify;
    unsigned char session_context[SHA256_DIGEST_LENGTH];
};

static void need(bool done)
{
    if (!done)
        abort(); /* only for want of memory */
}

/* Names --------------------------------------------------------------------------------
 */

/* Copies a name in small letters, without the dot of a complete one; 0 when it is too
 * long or has octets no name has. */
static size_t lower_name(struct gd_span name, char out[NAME_MAX_BYTES])
{
    if (name.len > 1 && name.ptr[name.len - 1] == '.')
        name.len--;
    if (name.len > NAME_MAX_BYTES)
        return 0;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (c <= ' ' || c > '~')
            return 0;
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return name.len;
}

/* The name itself first, then with `*` for its first label. */
static SSL_CTX *find(const struct gd_tls_server *server, struct gd_span name)
{
    char text[NAME_MAX_BYTES];
    struct gd_span small = {text, lower_name(name, text)};
    const char *dot = small.len ? memchr(text, '.', small.len) : NULL;
    SSL_CTX *found = small.len ? gd_dict_get(&server->names, small) : NULL;

    if (found || dot == NULL || dot == text)
        return found ? found : server->contexts[0];
    text[dot - text - 1] = '*';
    small.len -= (size_t)(dot - text) - 1;
    small.ptr = dot - 1;
    found = gd_dict_get(&server->names, small);
    return found ? found : server->contexts[0];
}

static void add_name(struct gd_tls_server *server, struct gd_span name, SSL_CTX *context)
{
    char text[NAME_MAX_BYTES];
    struct gd_span small = {text, lower_name(name, text)};
    char *copy;

    if (small.len == 0 || gd_dict_get(&server->names, small))
        return;
    copy = gd_alloc(small.len + 1);
    memcpy(copy, text, small.len);
    server->owned =
        gd_realloc(server->owned, (server->owned_count + 1) * sizeof(*server->owned));
    server->owned[server->owned_count++] = copy;
    gd_dict_put(&server->names, (struct gd_span){copy, small.len}, context);
}

static struct gd_span span_of(const ASN1_STRING *text)
{
    return (struct gd_span){(const char *)ASN1_STRING_get0_data(text),
                            (size_t)ASN1_STRING_length(text)};
}

/* The subject's common name counts only for a certificate without any DNS name. */
static void add_names(struct gd_tls_server *server, SSL_CTX *context)
{
    X509 *certificate = SSL_CTX_get0_certificate(context);
    GENERAL_NAMES *names;
    bool any = false;

    if (certificate == NULL)
        return;
    names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type != GEN_DNS)
            continue;
        any = true;
        add_name(server, span_of(name->d.dNSName), context);
    }
    GENERAL_NAMES_free(names);
    if (!any) {
        X509_NAME *subject = X509_get_subject_name(certificate);
        int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

        if (at >= 0)
            add_name(server,
                     span_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))),
                     context);
    }
}

/* Callbacks of OpenSSL -----------------------------------------------------------------
 */

static int on_server_name(SSL *ssl, int *alert, void *arg)
{
    const struct gd_tls_server *server = arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    SSL_CTX *context;

    (void)alert;
    if (name == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    context = find(server, gd_span_of(name));
    if (context != SSL_get_SSL_CTX(ssl) && SSL_set_SSL_CTX(ssl, context) == NULL)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    return SSL_TLSEXT_ERR_OK;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *offered, unsigned offered_len, void *arg)
{
    static const unsigned char spoken[] = "\x08http/1.1\x08http/1.0";
    unsigned char *chosen;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, out_len, spoken, sizeof(spoken) - 1, offered,
                              offered_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static bool set_up(const struct gd_ticket_key *key, unsigned char *iv,
                   EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, bool seal)
{
    OSSL_PARAM params[3];

    params[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key->mac,
                                                  sizeof(key->mac));
    params[1] =
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0);
    params[2] = OSSL_PARAM_construct_end();
    return EVP_MAC_CTX_set_params(mac, params) == 1 &&
           EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv, seal) == 1;
}

/* 1: go on; 2: go on, and give the client a newer ticket; 0: a full handshake; -1: no. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv,
                     EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seal)
{
    const struct gd_tls_moment *moment = SSL_get_app_data(ssl);
    struct gd_tls_server *server = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct gd_ticket_key key;
    bool old = false;
    int result = -1;

    if (seal) {
        if (gd_tickets_seal(server->tickets, moment->now_s, &key) &&
            RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1 &&
            set_up(&key, iv, cipher, mac, true)) {
            memcpy(name, key.name, sizeof(key.name));
            result = 1;
        }
    } else if (!gd_tickets_open(server->tickets, moment->now_s, name, &key, &old)) {
        return 0;
    } else if (set_up(&key, iv, cipher, mac, false)) {
        result = old ? 2 : 1;
    }
    OPENSSL_cleanse(&key, sizeof(key));
    return result;
}

/* Contexts -----------------------------------------------------------------------------
 */

struct gd_tls_server *gd_tls_server_new(enum gd_tls_version min_version,
                                        struct gd_tickets *tickets)
{
    struct gd_tls_server *server = gd_alloc(sizeof(*server));

    server->refs = 1;
    server->min_version = min_version;
    server->tickets = tickets ? gd_tickets_ref(tickets) : NULL;
    server->verify = SSL_VERIFY_NONE;
    return server;
}

struct gd_tls_server *gd_tls_server_ref(struct gd_tls_server *server)
{
    server->refs++;
    return server;
}

void gd_tls_server_unref(struct gd_tls_server *server)
{
    if (server == NULL || --server->refs > 0)
        return;
    for (unsigned i = 0; i < server->count; i++)
        SSL_CTX_free(server->contexts[i]);
    for (size_t i = 0; i < server->owned_count; i++)
        gd_free(server->owned[i]);
    gd_free(server->owned);
    gd_free((void *)server->contexts);
    gd_dict_free(&server->names);
    X509_STORE_free(server->client_cas);
    sk_X509_NAME_pop_free(server->client_names, X509_NAME_free);
    gd_tickets_unref(server->tickets);
    gd_free(server);
}

/* Of TLS 1.2 only what has forward secrecy and authenticated encryption. */
static const char ciphers_1_2[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

static void set_sessions(const struct gd_tls_server *server, SSL_CTX *context)
{
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if (server->tickets == NULL) {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        need(SSL_CTX_set_num_tickets(context, 0) == 1);
        return;
    }
    SSL_CTX_set_timeout(context, GD_TICKETS_LIFETIME_S);
    need(SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) == 1);
}

SSL_CTX *gd_tls_server_add(struct gd_tls_server *server)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    int lowest = server->min_version == GD_TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;

    need(context && SSL_CTX_set_min_proto_version(context, lowest) == 1 &&
         SSL_CTX_set_cipher_list(context, ciphers_1_2) == 1);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA);
    /* An idle connection holds no buffers; a record is read with one system call. */
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_alpn_select_cb(context, on_alpn, NULL);
    SSL_CTX_set_app_data(context, server);
    set_sessions(server, context);
    server->contexts = gd_realloc((void *)server->contexts,
                                  (server->count + 1) * sizeof(*server->contexts));
    server->contexts[server->count++] = context;
    return context;
}

/* Clients ------------------------------------------------------------------------------
 */

bool gd_tls_server_ask_clients(struct gd_tls_server *server, enum gd_tls_clients clients,
                               struct gd_span pem, struct gd_err *err)
{
    SSL_CTX *reader = SSL_CTX_new(TLS_server_method());
    STACK_OF(X509_OBJECT) * objects;
    bool ok;

    need(reader);
    ok = gd_tls_context_trust(reader, pem, err);
    if (ok) {
        server->verify = SSL_VERIFY_PEER;
        if (clients == GD_TLS_CLIENTS_REQUIRED)
            server->verify |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
        server->client_cas = SSL_CTX_get_cert_store(reader);
        need(X509_STORE_up_ref(server->client_cas) == 1);
        server->client_names = sk_X509_NAME_new_null();
        objects = X509_STORE_get0_objects(server->client_cas);
        for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
            X509 *ca = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));

            if (ca)
                need(sk_X509_NAME_push(server->client_names,
                                       X509_NAME_dup(X509_get_subject_name(ca))) > 0);
        }
        SHA256((const unsigned char *)pem.ptr, pem.len, server->session_context);
        server->session_context[0] ^= (unsigned char)server->verify;
    }
    SSL_CTX_free(reader);
    return ok;
}

/* A session is resumed only where the same is asked of clients: what it has been shown
 * says nothing to another listener. */
static void ask(const struct gd_tls_server *server, SSL_CTX *context)
{
    need(SSL_CTX_set_session_id_context(context, server->session_context,
                                        sizeof(server->session_context)) == 1);
    if (server->client_cas == NULL)
        return;
    SSL_CTX_set_verify(context, server->verify, NULL);
    SSL_CTX_set1_cert_store(context, server->client_cas);
    SSL_CTX_set_client_CA_list(context, SSL_dup_CA_list(server->client_names));
}

void gd_tls_server_finish(struct gd_tls_server *server)
{
    for (unsigned i = 0; i < server->count; i++) {
        add_names(server, server->contexts[i]);
        ask(server, server->contexts[i]);
    }
    SSL_CTX_set_tlsext_servername_callback(server->contexts[0], on_server_name);
    SSL_CTX_set_tlsext_servername_arg(server->contexts[0], server);
}

SSL_CTX *gd_tls_server_context(struct gd_tls_server *server)
{
    return server->contexts[0];
}
