#include "net/tls_inside.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"

enum {
    JOINED_BYTES = SSL3_RT_MAX_PLAIN_LENGTH, /* pieces that leave as one record */
    READ_BYTES_MAX = 256 * 1024,             /* at once, so that others have their turn */
};

struct gd_tls_peer {
    const struct gd_plan_tls *plan;
    char *name;
    bool name_is_ip;
    BIO_METHOD *socket;
    SSL_SESSION *ticket; /* the newest; NULL: none */
};

/* The socket ---------------------------------------------------------------------------
 */

/* OpenSSL's own socket BIO would raise SIGPIPE. */
static int on_send(BIO *bio, const char *bytes, int len)
{
    struct gd_tls *tls = BIO_get_data(bio);
    ssize_t put;

    BIO_clear_retry_flags(bio);
    do
        put = send(tls->fd, bytes, (size_t)len, MSG_NOSIGNAL);
    while (put < 0 && errno == EINTR);
    if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        BIO_set_retry_write(bio);
    return (int)put;
}

/* A read that got less than it asked for has emptied the socket: asking again within the
 * same turn would be in vain. */
static int on_receive(BIO *bio, char *into, int room)
{
    struct gd_tls *tls = BIO_get_data(bio);
    ssize_t got;

    BIO_clear_retry_flags(bio);
    if (tls->emptied) {
        BIO_set_retry_read(bio);
        return -1;
    }
    do
        got = recv(tls->fd, into, (size_t)room, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        BIO_set_retry_read(bio);
    tls->emptied = got > 0 && got < room;
    tls->socket_ended = got == 0;
    return (int)got;
}

static long on_control(BIO *bio, int command, long number, void *arg)
{
    const struct gd_tls *tls = BIO_get_data(bio);

    (void)number;
    (void)arg;
    if (command == BIO_CTRL_EOF)
        return tls->socket_ended;
    return command == BIO_CTRL_FLUSH;
}

static void need(bool done)
{
    if (!done)
        abort(); /* only for want of memory */
}

BIO_METHOD *gd_tls_socket_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "gatherd socket");

    need(method && BIO_meth_set_write(method, on_send) &&
         BIO_meth_set_read(method, on_receive) && BIO_meth_set_ctrl(method, on_control));
    return method;
}

/* Peers --------------------------------------------------------------------------------
 */

struct gd_tls_peer *gd_tls_peer_new(const struct gd_plan_tls *plan, const char *host)
{
    struct gd_tls_peer *peer = gd_alloc(sizeof(*peer));
    unsigned char address[sizeof(struct in6_addr)];
    size_t len;

    peer->plan = plan;
    peer->name = gd_strdup(plan->server_name ? plan->server_name : host);
    len = strlen(peer->name);
    peer->name_is_ip = inet_pton(AF_INET, peer->name, address) == 1 ||
                       inet_pton(AF_INET6, peer->name, address) == 1;
    /* The dot of a name that is complete stands in no certificate. */
    if (len > 1 && peer->name[len - 1] == '.')
        peer->name[len - 1] = '\0';
    peer->socket = gd_tls_socket_method();
    return peer;
}

void gd_tls_peer_bind(struct gd_tls_peer *peer, const struct gd_plan_tls *plan)
{
    peer->plan = plan;
}

static void drop_ticket(struct gd_tls_peer *peer)
{
    SSL_SESSION_free(peer->ticket);
    peer->ticket = NULL;
}

void gd_tls_peer_free(struct gd_tls_peer *peer)
{
    if (peer == NULL)
        return;
    drop_ticket(peer);
    BIO_meth_free(peer->socket);
    gd_free(peer->name);
    gd_free(peer);
}

/* Whom a certificate was for is not looked at again when its session is resumed, so it
 * must not be used beyond its time. */
static bool is_fresh(SSL_SESSION *ticket)
{
    X509 *certificate = SSL_SESSION_get0_peer(ticket);

    return certificate && X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

/* A copy is offered: OpenSSL would use a ticket only once, and connections that are
 * opened before a newer one has come would have to do without. */
static void offer_ticket(struct gd_tls_peer *peer, SSL *ssl)
{
    SSL_SESSION *copy;

    if (peer->ticket && peer->plan->verify && !is_fresh(peer->ticket))
        drop_ticket(peer);
    if (peer->ticket) {
        copy = SSL_SESSION_dup(peer->ticket);
        need(copy && SSL_set_session(ssl, copy));
        SSL_SESSION_free(copy);
    }
    need(SSL_set_app_data(ssl, &peer->ticket));
}

static void set_name(const struct gd_tls_peer *peer, SSL *ssl)
{
    if (peer->name_is_ip) {
        need(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), peer->name));
        return;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    need(SSL_set_tlsext_host_name(ssl, peer->name) && SSL_set1_host(ssl, peer->name));
}

struct gd_tls *gd_tls_attach(SSL_CTX *context, BIO_METHOD *socket, int fd)
{
    struct gd_tls *tls = gd_alloc(sizeof(*tls));
    BIO *bio = BIO_new(socket);

    tls->fd = fd;
    tls->ssl = SSL_new(context);
    need(bio && tls->ssl);
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    return tls;
}

struct gd_tls *gd_tls_new(struct gd_tls_peer *peer, int fd)
{
    struct gd_tls *tls = gd_tls_attach(peer->plan->context, peer->socket, fd);

    tls->peer = peer;
    SSL_set_connect_state(tls->ssl);
    set_name(peer, tls->ssl);
    offer_ticket(peer, tls->ssl);
    return tls;
}

void gd_tls_shutdown(struct gd_tls *tls)
{
    ERR_clear_error();
    if (tls->over != GD_IO_ERROR && !SSL_in_init(tls->ssl))
        SSL_shutdown(tls->ssl);
    ERR_clear_error();
}

void gd_tls_free(struct gd_tls *tls, bool orderly)
{
    gd_work_cancel(&tls->pump);
    if (orderly)
        gd_tls_shutdown(tls);
    /* That a connection is given up makes its session no worse, but OpenSSL would not
     * resume it. */
    if (tls->over != GD_IO_ERROR)
        SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(tls->ssl);
    ERR_clear_error();
    gd_tls_server_unref(tls->server);
    gd_free(tls);
}

/* Troubles -----------------------------------------------------------------------------
 */

static const char *certificate_trouble(long result)
{
    switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return "its certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "its certificate is not valid yet";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return "its certificate is self-signed";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return "its certificate is for another host";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return "its certificate is of an unknown CA";
    default:
        return X509_verify_cert_error_string(result);
    }
}

static const char *trouble_of(const struct gd_tls *tls, unsigned long error)
{
    const char *text = ERR_reason_error_string(error);

    switch (ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
        return certificate_trouble(SSL_get_verify_result(tls->ssl));
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        return "it speaks no version of TLS that is allowed here";
    case SSL_R_HTTP_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_RECORD_LENGTH_MISMATCH:
        return "what it says is no TLS";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return "it wants a certificate of ours";
    default:
        return text ? text : "TLS failed";
    }
}

/* What a call of OpenSSL that did not succeed means. */
static enum gd_io judge(struct gd_tls *tls, int rc)
{
    unsigned long error;

    switch (SSL_get_error(tls->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return GD_IO_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return GD_IO_EOF;
    case SSL_ERROR_SYSCALL:
        return GD_IO_ERROR; /* the connection was reset */
    default:
        break;
    }
    error = ERR_peek_error();
    if (tls->socket_ended &&
        ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        tls->cut = true;
        return GD_IO_EOF;
    }
    tls->trouble = trouble_of(tls, error);
    return GD_IO_ERROR;
}

/* Errors that stand in OpenSSL's queue would be taken for those of the next call. Looking
 * is cheaper than clearing. */
static void forget_errors(void)
{
    if (ERR_peek_error() != 0)
        ERR_clear_error();
}

/* Moving bytes -------------------------------------------------------------------------
 */

enum gd_io gd_tls_handshake(struct gd_tls *tls, uint64_t now_s, bool *read)
{
    enum gd_io io;
    int rc;

    forget_errors();
    tls->emptied = false;
    tls->moment.now_s = now_s;
    rc = SSL_do_handshake(tls->ssl);
    if (rc == 1)
        return GD_IO_OK;
    io = judge(tls, rc);
    *read = SSL_want_read(tls->ssl);
    if (io == GD_IO_AGAIN)
        return io;
    tls->over = GD_IO_ERROR;
    if (tls->trouble == NULL)
        tls->trouble = io == GD_IO_EOF ? "closed during the TLS handshake"
                                       : "reset during the TLS handshake";
    if (tls->peer)
        drop_ticket(tls->peer); /* it may be what the server stumbled over */
    return GD_IO_ERROR;
}

static void note_read(struct gd_tls *tls, enum gd_io io)
{
    if (io == GD_IO_AGAIN) {
        tls->drained = true;
        tls->read_blocked = SSL_want_write(tls->ssl);
    } else {
        tls->over = io;
    }
}

/* Whether another try would find nothing: neither in the socket nor in OpenSSL. */
static bool is_drained(struct gd_tls *tls)
{
    tls->drained = tls->emptied && !SSL_has_pending(tls->ssl);
    return tls->drained;
}

enum gd_io gd_tls_read(struct gd_tls *tls, char *into, size_t room, size_t *n)
{
    size_t most = room < READ_BYTES_MAX ? room : READ_BYTES_MAX, total = 0, got;
    enum gd_io io = GD_IO_OK;

    assert(room > 0);
    tls->emptied = tls->read_blocked = tls->drained = false;
    while (total < most && tls->over == GD_IO_OK && io == GD_IO_OK) {
        int rc;

        forget_errors();
        rc = SSL_read_ex(tls->ssl, into + total, most - total, &got);
        if (rc == 1) {
            total += got;
            if (is_drained(tls))
                break;
            continue;
        }
        io = judge(tls, rc);
        note_read(tls, io);
    }
    if (total == 0)
        return tls->over == GD_IO_OK ? GD_IO_AGAIN : tls->over;
    *n = total;
    return GD_IO_OK;
}

bool gd_tls_is_quiet(struct gd_tls *tls)
{
    enum gd_io io;
    size_t got;
    char byte;
    int rc;

    if (tls->over != GD_IO_OK)
        return false;
    forget_errors();
    tls->emptied = tls->read_blocked = tls->drained = false;
    rc = SSL_peek_ex(tls->ssl, &byte, 1, &got);
    if (rc == 1)
        return false;
    io = judge(tls, rc);
    note_read(tls, io);
    return io == GD_IO_AGAIN;
}

bool gd_tls_has_pending(const struct gd_tls *tls)
{
    return tls->over != GD_IO_OK || (!tls->drained && SSL_has_pending(tls->ssl));
}

/* What comes behind the first `skip` bytes: a piece as it is when it fills a record or is
 * the last one, else several of them joined. An unfinished record has to be offered again
 * with no less behind it, which holds for whoever keeps what was not written. */
static struct gd_span next_piece(const struct iovec *iov, int count, size_t skip,
                                 char joined[JOINED_BYTES])
{
    size_t len = 0;

    while (count > 0 && skip >= iov->iov_len) {
        skip -= iov->iov_len;
        iov++;
        count--;
    }
    if (count == 0)
        return GD_SPAN("");
    if (count == 1 || iov->iov_len - skip >= JOINED_BYTES)
        return (struct gd_span){(char *)iov->iov_base + skip, iov->iov_len - skip};
    for (; count > 0 && len < JOINED_BYTES; iov++, count--, skip = 0) {
        size_t take = iov->iov_len - skip;

        if (take > JOINED_BYTES - len)
            take = JOINED_BYTES - len;
        if (take)
            memcpy(joined + len, (char *)iov->iov_base + skip, take);
        len += take;
    }
    return (struct gd_span){joined, len};
}

enum gd_io gd_tls_write(struct gd_tls *tls, const struct iovec *iov, int count, size_t *n)
{
    char joined[JOINED_BYTES];
    struct gd_span piece;
    enum gd_io io = GD_IO_OK;
    size_t total = 0, put;

    tls->write_blocked = false;
    if (tls->over == GD_IO_ERROR)
        return GD_IO_ERROR;
    while (io == GD_IO_OK && (piece = next_piece(iov, count, total, joined)).len > 0) {
        int rc;

        forget_errors();
        rc = SSL_write_ex(tls->ssl, piece.ptr, piece.len, &put);
        if (rc == 1) {
            total += put;
            continue;
        }
        io = judge(tls, rc);
        if (io == GD_IO_AGAIN)
            tls->write_blocked = SSL_want_read(tls->ssl);
    }
    if (io == GD_IO_EOF || (io == GD_IO_ERROR && tls->trouble))
        tls->over = GD_IO_ERROR;
    if (total == 0 && io != GD_IO_OK)
        return io == GD_IO_AGAIN ? GD_IO_AGAIN : GD_IO_ERROR;
    *n = total;
    return GD_IO_OK;
}
