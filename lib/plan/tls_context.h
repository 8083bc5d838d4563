#ifndef GD_PLAN_TLS_CONTEXT_H
#define GD_PLAN_TLS_CONTEXT_H
/**
 * What a `tls` section means, made ready for connections: OpenSSL's context.
 *
 * Contexts are made while the configuration is read, so that whatever is wrong with a
 * file is told there, and are never changed afterwards: all threads make their
 * connections from the same one. They keep no sessions.
 */
#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"

/** In the order of the words of the option's row. */
enum gd_tls_version { GD_TLS_1_2, GD_TLS_1_3 };

/** TLS to the servers of one upstream. */
struct gd_plan_tls {
    SSL_CTX *context;        /* owned by the plan */
    const char *server_name; /* asked for and verified; NULL: the host of each URL */
    bool verify;
    enum gd_tls_version min_version;
};

enum { GD_TLS_FILE_MAX = 4 << 20 }; /* bytes of certificates or of a key */

/** Returns an owned context for clients that trusts nobody yet; aborts without memory.
 * The newest ticket of a connection is put where the application data of its SSL points
 * to, a `SSL_SESSION *` that holds a reference; NULL: nowhere. */
SSL_CTX *gd_tls_context_new(bool verify, enum gd_tls_version min_version);

/** Offers HTTP/2 by ALPN, before HTTP/1.1 or only. */
void gd_tls_context_offer_h2(SSL_CTX *context, bool only);

/** Trusts the certificates of a PEM text. False with err: the sentence, to stand behind
 *  the name of the file. */
GD_MUST_CHECK bool gd_tls_context_trust(SSL_CTX *context, struct gd_span pem,
                                        struct gd_err *err);

/** Shows the first certificate of a PEM text to servers that ask for one, with the others
 *  behind it. False with err, as above. */
GD_MUST_CHECK bool gd_tls_context_use_chain(SSL_CTX *context, struct gd_span pem,
                                            struct gd_err *err);

/** The private key of the certificate that was given before. False with err, as above. */
GD_MUST_CHECK bool gd_tls_context_use_key(SSL_CTX *context, struct gd_span pem,
                                          struct gd_err *err);

#endif
