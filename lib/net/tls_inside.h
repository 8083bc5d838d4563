#ifndef GD_NET_TLS_INSIDE_H
#define GD_NET_TLS_INSIDE_H
/**
 * What the client's side (tls.c) and the server's side (tls_accept.c) of TLS share.
 */
#include "net/tls.h"

/** Returns owned: how OpenSSL reads and writes the socket of a gd_tls. */
BIO_METHOD *gd_tls_socket_method(void);

/** Returns owned: a connection of context on fd, on neither side yet. */
struct gd_tls *gd_tls_attach(SSL_CTX *context, BIO_METHOD *socket, int fd);

#endif
