#ifndef GD_TESTS_TLS_SERVER_H
#define GD_TESTS_TLS_SERVER_H
/**
 * A TLS server in the test's own thread, at the other end of a socket pair: OpenSSL
 * itself, taken on by hand. And the certificate it shows, which is made on the spot.
 */
#include <check.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"

/* A key, and a certificate for "server.test" that it has signed itself. */
struct identity {
    EVP_PKEY *key;
    X509 *certificate;
    BIO *pem;
    struct gd_span text; /* the certificate */
};

static inline void identity_add(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    ck_assert_ptr_nonnull(extension);
    ck_assert_int_eq(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static inline void identity_make(struct identity *own)
{
    X509_NAME *name;
    char *text;

    own->key = EVP_EC_gen("P-256");
    own->certificate = X509_new();
    name = X509_get_subject_name(own->certificate);
    X509_set_version(own->certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(own->certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(own->certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(own->certificate), 3600);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test",
                               -1, -1, 0);
    X509_set_issuer_name(own->certificate, name);
    X509_set_pubkey(own->certificate, own->key);
    identity_add(own->certificate, NID_basic_constraints, "critical,CA:TRUE");
    identity_add(own->certificate, NID_subject_alt_name, "DNS:server.test");
    ck_assert_int_gt(X509_sign(own->certificate, own->key, EVP_sha256()), 0);
    own->pem = BIO_new(BIO_s_mem());
    ck_assert_int_eq(PEM_write_bio_X509(own->pem, own->certificate), 1);
    own->text.len = (size_t)BIO_get_mem_data(own->pem, &text);
    own->text.ptr = text;
}

static inline void identity_free(struct identity *own)
{
    BIO_free(own->pem);
    X509_free(own->certificate);
    EVP_PKEY_free(own->key);
}

/* Speaks one version only. */
static inline SSL_CTX *server_context(const struct identity *own, int version)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    ck_assert_int_eq(SSL_CTX_use_certificate(context, own->certificate), 1);
    ck_assert_int_eq(SSL_CTX_use_PrivateKey(context, own->key), 1);
    ck_assert_int_eq(SSL_CTX_set_min_proto_version(context, version), 1);
    ck_assert_int_eq(SSL_CTX_set_max_proto_version(context, version), 1);
    return context;
}

/* Makes a socket pair with a server at one end; returns the other end. */
static inline int server_open(SSL **server, SSL_CTX *context)
{
    int ends[2];

    ck_assert_int_eq(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    *server = SSL_new(context);
    SSL_set_fd(*server, ends[1]);
    SSL_set_accept_state(*server);
    SSL_set_mode(*server,
                 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return ends[0];
}

static inline void server_close(SSL *server)
{
    close(SSL_get_fd(server));
    SSL_free(server);
}

/* Writes all of it; each call makes a record when len is not more than 16 KiB. */
static inline void server_write(SSL *server, const char *bytes, size_t len)
{
    size_t n = 0;

    ck_assert_int_eq(SSL_write_ex(server, bytes, len, &n), 1);
    ck_assert_uint_eq(n, len);
}

/* What is there now, at most size; 0: nothing. */
static inline size_t server_read(SSL *server, char *into, size_t size)
{
    size_t n = 0;

    return SSL_read_ex(server, into, size, &n) == 1 ? n : 0;
}

#endif
