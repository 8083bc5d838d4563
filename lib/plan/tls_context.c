#include "plan/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

/* The slot takes the reference over; tickets of TLS 1.3 come behind the handshake, and
 * the newest is the one that serves longest. */
static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
    SSL_SESSION **slot = SSL_get_app_data(ssl);

    if (slot == NULL)
        return 0;
    SSL_SESSION_free(*slot);
    *slot = session;
    return 1;
}

/* Without it OpenSSL would ask on the terminal. */
static int no_password(char *out, int size, int writing, void *arg)
{
    (void)out;
    (void)size;
    (void)writing;
    *(bool *)arg = true;
    return -1;
}

SSL_CTX *gd_tls_context_new(bool verify, enum gd_tls_version min_version)
{
    static const unsigned char http_1_1[] = "\x08http/1.1";
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (context == NULL ||
        SSL_CTX_set_min_proto_version(
            context, min_version == GD_TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_alpn_protos(context, http_1_1, sizeof(http_1_1) - 1) != 0)
        abort();
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    /* A record is read with one system call. What the socket takes of a write is told,
     * and the rest may come from another place. */
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_mode(context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(context, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_ticket);
    return context;
}

void gd_tls_context_offer_h2(SSL_CTX *context, bool only)
{
    static const unsigned char both[] = "\x02h2\x08http/1.1";

    if (SSL_CTX_set_alpn_protos(context, both, only ? 3 : sizeof(both) - 1) != 0)
        abort();
}

static BIO *open_text(struct gd_span pem)
{
    BIO *bio = BIO_new_mem_buf(pem.len ? pem.ptr : "", (int)pem.len);

    if (bio == NULL)
        abort();
    ERR_clear_error();
    return bio;
}

/* Gives each certificate of a text to take, which does not keep it; how many there were,
 * 0 with err. */
static unsigned each_certificate(struct gd_span pem,
                                 bool (*take)(SSL_CTX *context, unsigned i, X509 *one),
                                 SSL_CTX *context, struct gd_err *err)
{
    BIO *bio = open_text(pem);
    unsigned count = 0;
    unsigned long error;
    bool ok = true;
    X509 *one;

    while (ok && (one = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        ok = take(context, count++, one);
        X509_free(one);
    }
    BIO_free(bio);
    error = ERR_peek_last_error();
    ERR_clear_error();
    if (!ok)
        gd_err_set(err, "has a certificate that cannot be used: %s",
                   ERR_reason_error_string(error));
    else if (ERR_GET_REASON(error) != PEM_R_NO_START_LINE)
        ok = gd_err_set(err, "is damaged: certificate %u cannot be read", count + 1);
    else if (count == 0)
        gd_err_set(err, "has no certificate in PEM form");
    return ok ? count : 0;
}

static bool trust_one(SSL_CTX *context, unsigned i, X509 *one)
{
    (void)i;
    return X509_STORE_add_cert(SSL_CTX_get_cert_store(context), one) == 1;
}

bool gd_tls_context_trust(SSL_CTX *context, struct gd_span pem, struct gd_err *err)
{
    return each_certificate(pem, trust_one, context, err) > 0;
}

static bool show_one(SSL_CTX *context, unsigned i, X509 *one)
{
    return (i == 0 ? SSL_CTX_use_certificate(context, one)
                   : SSL_CTX_add1_chain_cert(context, one)) == 1;
}

bool gd_tls_context_use_chain(SSL_CTX *context, struct gd_span pem, struct gd_err *err)
{
    return each_certificate(pem, show_one, context, err) > 0;
}

bool gd_tls_context_use_key(SSL_CTX *context, struct gd_span pem, struct gd_err *err)
{
    bool locked = false, ok;
    BIO *bio = open_text(pem);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_password, &locked);

    BIO_free(bio);
    if (key == NULL)
        ok = gd_err_set(err, locked ? "is encrypted; only keys without a password can be "
                                      "used"
                                    : "has no private key in PEM form");
    else
        ok = X509_check_private_key(SSL_CTX_get0_certificate(context), key) == 1 ||
             gd_err_set(err, "is not the key of the certificate");
    if (ok && SSL_CTX_use_PrivateKey(context, key) != 1)
        ok = gd_err_set(err, "cannot be used");
    EVP_PKEY_free(key);
    ERR_clear_error();
    return ok;
}
