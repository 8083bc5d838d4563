/*
 * What lib/front relies on in libevhtp, tested on libevhtp itself: with another version,
 * or a patched one, this fails before anything else does.
 */
#include "suite.h"

#include <evhtp/evhtp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/listen.h"

static const char head[] = "GET / HTTP/1.1\r\n\r\n";

struct shell {
    struct event_base *base;
    evhtp_t *htp;
    evhtp_connection_t *conn;
    evhtp_request_t *request;
    bufferevent_data_cb read, write;
    bufferevent_event_cb event;
    void *own;
    int client;
    int listener;
    unsigned requests, request_ends, conn_ends;
};

static void on_request(evhtp_request_t *request, void *arg)
{
    struct shell *shell = arg;

    shell->request = request;
    shell->requests++;
}

static evhtp_res on_request_fini(evhtp_request_t *request, void *arg)
{
    struct shell *shell = arg;

    ck_assert_ptr_eq(request, shell->request);
    shell->request = NULL;
    shell->request_ends++;
    return EVHTP_RES_OK;
}

static evhtp_res on_conn_fini(evhtp_connection_t *conn, void *arg)
{
    struct shell *shell = arg;

    ck_assert_ptr_eq(conn, shell->conn);
    shell->conn = NULL;
    shell->conn_ends++;
    return EVHTP_RES_OK;
}

static evhtp_res on_post_accept(evhtp_connection_t *conn, void *arg)
{
    struct shell *shell = arg;
    struct bufferevent *bev = evhtp_connection_get_bev(conn);

    shell->conn = conn;
    bufferevent_getcb(bev, &shell->read, &shell->write, &shell->event, &shell->own);
    bufferevent_setcb(bev, NULL, NULL, NULL, NULL);
    bufferevent_disable(bev, EV_READ | EV_WRITE);
    evhtp_connection_set_hook(conn, evhtp_hook_on_connection_fini,
                              (evhtp_hook)on_conn_fini, shell);
    evhtp_connection_set_hook(conn, evhtp_hook_on_request_fini,
                              (evhtp_hook)on_request_fini, shell);
    return EVHTP_RES_OK;
}

static void shell_start(struct shell *shell)
{
    struct gd_plan_address where = {
        .kind = GD_ADDRESS_TCP, .host = "127.0.0.1", .text = "http://127.0.0.1:0"};
    struct gd_address address;
    struct gd_err err;

    *shell = (struct shell){.base = event_base_new()};
    shell->htp = evhtp_new(shell->base, NULL);
    shell->listener = gd_listen_open(&where, 4, &address, &err);
    ck_assert_int_ge(shell->listener, 0);
    evhtp_disable_flag(shell->htp, EVHTP_FLAG_ENABLE_100_CONT);
    evhtp_set_gencb(shell->htp, on_request, shell);
    evhtp_set_post_accept_cb(shell->htp, on_post_accept, shell);
    ck_assert_int_eq(evhtp_accept_socket(shell->htp, shell->listener, 0), 0);
    shell->client = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(shell->client, (struct sockaddr *)&address.sa, address.len),
                     0);
    while (shell->conn == NULL)
        event_base_loop(shell->base, EVLOOP_ONCE);
    ck_assert_ptr_eq(shell->own, shell->conn);
}

static void shell_stop(struct shell *shell)
{
    if (shell->conn)
        evhtp_connection_free(shell->conn);
    evhtp_unbind_socket(shell->htp);
    evhtp_free(shell->htp);
    event_base_free(shell->base);
    close(shell->client);
}

static void shell_feed(struct shell *shell)
{
    struct bufferevent *bev = evhtp_connection_get_bev(shell->conn);
    struct evbuffer *input = bufferevent_get_input(bev);

    ck_assert_int_eq(evbuffer_prepend(input, head, sizeof(head) - 1), 0);
    shell->read(bev, shell->conn);
    ck_assert_uint_eq(evbuffer_get_length(input), 0);
}

START_TEST(its_read_callback_makes_a_request_at_once_and_empties_the_input)
{
    struct shell shell;

    shell_start(&shell);
    shell_feed(&shell);
    ck_assert_uint_eq(shell.requests, 1);
    ck_assert_ptr_nonnull(shell.request);
    ck_assert_uint_eq(shell.request_ends, 0);
    shell_stop(&shell);
}
END_TEST

START_TEST(a_finished_request_is_freed_by_its_write_callback_and_the_next_can_come)
{
    struct shell shell;

    shell_start(&shell);
    for (unsigned i = 1; i <= 100; i++) {
        shell_feed(&shell);
        ck_assert_uint_eq(shell.requests, i);
        ck_assert_ptr_nonnull(shell.request);
        evhtp_send_reply_end(shell.request);
        ck_assert_uint_eq(shell.request_ends, i - 1);
        shell.write(evhtp_connection_get_bev(shell.conn), shell.conn);
        ck_assert_uint_eq(shell.request_ends, i);
        ck_assert_ptr_null(shell.request);
        ck_assert_ptr_nonnull(shell.conn);
    }
    shell_stop(&shell);
    ck_assert_uint_eq(shell.conn_ends, 1);
}
END_TEST

START_TEST(an_ended_connection_ends_its_request_and_tells_both_once)
{
    struct shell shell;

    shell_start(&shell);
    shell_feed(&shell);
    evhtp_connection_free(shell.conn);
    ck_assert_uint_eq(shell.conn_ends, 1);
    ck_assert_uint_eq(shell.request_ends, 1);
    shell_stop(&shell);
    ck_assert_uint_eq(shell.conn_ends, 1);
    ck_assert_uint_eq(shell.request_ends, 1);
}
END_TEST

START_TEST(it_writes_nothing_and_reads_nothing_by_itself)
{
    struct shell shell;
    char byte;

    shell_start(&shell);
    shell_feed(&shell);
    evhtp_send_reply_end(shell.request);
    shell.write(evhtp_connection_get_bev(shell.conn), shell.conn);
    ck_assert_int_eq(write(shell.client, "GET /x HTTP/1.1\r\n\r\n", 19), 19);
    for (int i = 0; i < 3; i++)
        event_base_loop(shell.base, EVLOOP_NONBLOCK);
    ck_assert_int_eq(recv(shell.client, &byte, 1, MSG_DONTWAIT), -1);
    ck_assert_uint_eq(shell.requests, 1);
    ck_assert_int_eq(recv(bufferevent_getfd(evhtp_connection_get_bev(shell.conn)), &byte,
                          1, MSG_DONTWAIT),
                     1);
    shell_stop(&shell);
}
END_TEST

GD_SUITE("front_shell", its_read_callback_makes_a_request_at_once_and_empties_the_input,
         a_finished_request_is_freed_by_its_write_callback_and_the_next_can_come,
         an_ended_connection_ends_its_request_and_tells_both_once,
         it_writes_nothing_and_reads_nothing_by_itself)
