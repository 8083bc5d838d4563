#ifndef GD_PLAN_TLS_SERVER_H
#define GD_PLAN_TLS_SERVER_H
/**
 * TLS towards the clients of a listener: its certificates, chosen by the name a client
 * asks for, and what it wants of clients.
 *
 * Made while the configuration is read and not changed afterwards; all threads accept
 * from the same one. Counted: the plan has a reference, and so has each connection, so a
 * handshake that is going on survives a reload.
 */
#include "plan/tickets.h"
#include "plan/tls_context.h"

/** Whether clients have to show a certificate. In the order of the words of the row. */
enum gd_tls_clients {
    GD_TLS_CLIENTS_OFF,
    GD_TLS_CLIENTS_OPTIONAL,
    GD_TLS_CLIENTS_REQUIRED
};

struct gd_tls_server;

/** Returns one without certificates, with one reference. tickets: kept; NULL: sessions
 *  cannot be resumed. */
struct gd_tls_server *gd_tls_server_new(enum gd_tls_version min_version,
                                        struct gd_tickets *tickets);
struct gd_tls_server *gd_tls_server_ref(struct gd_tls_server *server);

/** NULL is fine. */
void gd_tls_server_unref(struct gd_tls_server *server);

/** Adds room for one more certificate and returns its context, borrowed, to be filled by
 *  gd_tls_context_use_chain and _use_key. */
SSL_CTX *gd_tls_server_add(struct gd_tls_server *server);

/** Asks clients for a certificate of one of the CAs of a PEM text. False with err. Before
 *  gd_tls_server_finish. */
GD_MUST_CHECK bool gd_tls_server_ask_clients(struct gd_tls_server *server,
                                             enum gd_tls_clients clients,
                                             struct gd_span pem, struct gd_err *err);

/** All certificates are there: names are collected. The first certificate is shown to
 *  clients that ask for no name, or for one that no certificate has; of several for one
 *  name the first counts. */
void gd_tls_server_finish(struct gd_tls_server *server);

/** Returns borrowed: what connections are made from. */
SSL_CTX *gd_tls_server_context(struct gd_tls_server *server);

/** Seconds of a clock that never goes back, where the application data of each SSL that
 *  is made from the context has to point. */
struct gd_tls_moment {
    uint64_t now_s;
};

#endif
