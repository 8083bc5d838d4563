#include <stdlib.h>

#include "base/mem.h"
#include "net/tls_inside.h"

struct gd_tls_acceptor {
    BIO_METHOD *socket;
};

struct gd_tls_acceptor *gd_tls_acceptor_new(void)
{
    struct gd_tls_acceptor *acceptor = gd_alloc(sizeof(*acceptor));

    acceptor->socket = gd_tls_socket_method();
    return acceptor;
}

void gd_tls_acceptor_free(struct gd_tls_acceptor *acceptor)
{
    if (acceptor == NULL)
        return;
    BIO_meth_free(acceptor->socket);
    gd_free(acceptor);
}

struct gd_tls *gd_tls_accept(struct gd_tls_acceptor *acceptor,
                             struct gd_tls_server *server, int fd)
{
    struct gd_tls *tls =
        gd_tls_attach(gd_tls_server_context(server), acceptor->socket, fd);

    tls->server = gd_tls_server_ref(server);
    if (!SSL_set_app_data(tls->ssl, &tls->moment))
        abort();
    SSL_set_accept_state(tls->ssl);
    return tls;
}
