/* Connecting to whichever of several addresses answers first. */
#include "net/race.h"

#include <arpa/inet.h>
#include <errno.h>

#include "peer.h"
#include "pool_rig.h"
#include "suite.h"

/* One race: two peers, and listeners that answer nobody. */
struct course {
    struct gd_loop *loop;
    struct peer peers[2];
    struct gd_address quiet, closed;
    int quiet_fd, fillers[4];
    int told, fd, error;
    struct gd_address to;
    int fds;
};

static void on_done(void *arg, int fd, const struct gd_address *to)
{
    struct course *course = arg;

    course->told++;
    course->fd = fd;
    course->error = errno;
    if (to)
        course->to = *to;
}

static bool is_told(void *arg)
{
    return ((struct course *)arg)->told > 0;
}

static struct gd_address local(uint16_t port)
{
    struct gd_address address = {.len = sizeof(struct sockaddr_in)};
    struct sockaddr_in *in = (struct sockaddr_in *)&address.sa;

    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    in->sin_port = htons(port);
    return address;
}

static struct gd_address bound(int fd)
{
    struct gd_address address = local(0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address.sa, address.len), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address.sa, &address.len), 0);
    return address;
}

/* A listener whose backlog is taken up: connecting hangs. */
static void open_quiet(struct course *course)
{
    course->quiet_fd = socket(AF_INET, SOCK_STREAM, 0);
    course->quiet = bound(course->quiet_fd);
    ck_assert_int_eq(listen(course->quiet_fd, 0), 0);
    for (int i = 0; i < 4; i++) {
        course->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(course->fillers[i], (struct sockaddr *)&course->quiet.sa,
                       course->quiet.len);
    }
}

static void course_open(struct course *course)
{
    int fd;

    *course = (struct course){.fds = rig_open_fds(), .fd = -1};
    course->loop = gd_loop_new(NULL);
    for (int i = 0; i < 2; i++)
        peer_open(&course->peers[i], course->loop);
    open_quiet(course);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    course->closed = bound(fd);
    close(fd);
}

static void course_close(struct course *course)
{
    if (course->fd >= 0)
        close(course->fd);
    for (int i = 0; i < 2; i++)
        peer_close(&course->peers[i]);
    for (int i = 0; i < 4; i++)
        close(course->fillers[i]);
    close(course->quiet_fd);
    gd_loop_free(course->loop);
    ck_assert_int_eq(rig_open_fds(), course->fds);
}

static void race(struct course *course, const struct gd_address *addresses,
                 unsigned count, unsigned first)
{
    ck_assert_ptr_nonnull(
        gd_race_start(course->loop, addresses, count, first, on_done, course));
    ck_assert_int_eq(course->told, 0);
    ck_assert(gd_loop_run_until(course->loop, is_told, course, 3000));
    ck_assert_int_eq(course->told, 1);
}

static bool leads_to(const struct course *course, const struct gd_address *address)
{
    return gd_address_port(&course->to) == gd_address_port(address);
}

START_TEST(families_take_turns_and_the_first_ones_begin)
{
    struct gd_address list[6];
    const int families[6] = {AF_INET6, AF_INET6, AF_INET6, AF_INET, AF_INET, AF_INET6};
    const int expected[6] = {0, 3, 1, 4, 2, 5};

    for (int i = 0; i < 6; i++) {
        list[i] = local((uint16_t)(i + 1));
        list[i].sa.ss_family = (sa_family_t)families[i];
    }
    gd_race_order(list, 6);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(ntohs(((struct sockaddr_in *)&list[i].sa)->sin_port) - 1,
                         expected[i]);
    gd_race_order(list, 0);
}
END_TEST

START_TEST(the_first_address_wins_and_the_second_is_never_tried)
{
    struct course course;

    course_open(&course);
    race(&course, (struct gd_address[]){course.peers[0].address, course.peers[1].address},
         2, 0);
    ck_assert(leads_to(&course, &course.peers[0].address));
    ck_assert_uint_eq(course.peers[1].accepted, 0);
    course_close(&course);
}
END_TEST

START_TEST(the_winner_of_the_last_time_goes_first)
{
    struct course course;

    course_open(&course);
    race(&course,
         (struct gd_address[]){course.quiet, course.peers[0].address,
                               course.peers[1].address},
         3, 2);
    ck_assert(leads_to(&course, &course.peers[1].address));
    course_close(&course);
}
END_TEST

START_TEST(one_that_refuses_is_followed_at_once)
{
    struct course course;
    uint64_t start_us;

    course_open(&course);
    start_us = gd_loop_now_us(course.loop);
    race(&course,
         (struct gd_address[]){course.closed, course.closed, course.peers[0].address}, 3,
         0);
    ck_assert(leads_to(&course, &course.peers[0].address));
    ck_assert_uint_lt(gd_loop_now_us(course.loop) - start_us, GD_RACE_STEP_MS * 1000);
    course_close(&course);
}
END_TEST

START_TEST(one_that_does_not_answer_is_followed_after_a_quarter_of_a_second)
{
    struct course course;
    uint64_t took_us;

    course_open(&course);
    took_us = gd_loop_now_us(course.loop);
    race(&course, (struct gd_address[]){course.quiet, course.peers[0].address}, 2, 0);
    took_us = gd_loop_now_us(course.loop) - took_us;
    ck_assert(leads_to(&course, &course.peers[0].address));
    ck_assert_uint_ge(took_us, (GD_RACE_STEP_MS - 10) * 1000);
    course_close(&course);
}
END_TEST

START_TEST(all_that_refuse_are_told_with_the_reason)
{
    struct course course;
    struct gd_race *started;

    course_open(&course);
    started =
        gd_race_start(course.loop, (struct gd_address[]){course.closed, course.closed}, 2,
                      1, on_done, &course);
    if (started) {
        ck_assert(gd_loop_run_until(course.loop, is_told, &course, 3000));
        ck_assert_int_eq(course.fd, -1);
        ck_assert_int_eq(course.error, ECONNREFUSED);
    } else {
        ck_assert_int_eq(errno, ECONNREFUSED);
    }
    course_close(&course);
}
END_TEST

START_TEST(a_cancelled_race_tells_nothing_and_leaves_nothing_open)
{
    struct course course;
    struct gd_race *started;

    course_open(&course);
    started =
        gd_race_start(course.loop, (struct gd_address[]){course.quiet, course.quiet}, 2,
                      0, on_done, &course);
    ck_assert_ptr_nonnull(started);
    gd_loop_run_until(course.loop, is_told, &course, GD_RACE_STEP_MS + 50);
    gd_race_cancel(started);
    gd_race_cancel(NULL);
    ck_assert(!gd_loop_run_until(course.loop, is_told, &course, 20));
    course_close(&course);
}
END_TEST

GD_SUITE("race", families_take_turns_and_the_first_ones_begin,
         the_first_address_wins_and_the_second_is_never_tried,
         the_winner_of_the_last_time_goes_first, one_that_refuses_is_followed_at_once,
         one_that_does_not_answer_is_followed_after_a_quarter_of_a_second,
         all_that_refuse_are_told_with_the_reason,
         a_cancelled_race_tells_nothing_and_leaves_nothing_open)
