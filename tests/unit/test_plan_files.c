/* Configurations of several files, secrets in files, and the files of this project. */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "plan_text.h"
#include "suite.h"

/* A folder of the test's own as working directory, so that names are short and known. */
struct place {
    char path[32];
    int before;
};

static void put(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void enter(struct place *place)
{
    snprintf(place->path, sizeof(place->path), "/tmp/gatherd-plan-XXXXXX");
    place->before = open(".", O_RDONLY | O_DIRECTORY);
    ck_assert_ptr_nonnull(mkdtemp(place->path));
    ck_assert_int_eq(chdir(place->path), 0);
}

static int on_entry(const char *path, const struct stat *info, int flag, struct FTW *ftw)
{
    return remove(path);
}

static void leave(struct place *place)
{
    ck_assert_int_eq(fchdir(place->before), 0);
    close(place->before);
    nftw(place->path, on_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static struct gd_plan *accept_file(const char *name)
{
    struct gd_findings findings;
    struct gd_plan *plan = gd_plan_load(name, &test_options, &findings);

    for (size_t i = 0; i < findings.count; i++)
        fprintf(stderr, "%s\n", findings.lines[i]);
    ck_assert_ptr_nonnull(plan);
    gd_findings_free(&findings);
    return plan;
}

static void refuse_file(const char *name, const char *const *lines)
{
    struct gd_findings findings;

    ck_assert_ptr_null(gd_plan_load(name, &test_options, &findings));
    plan_compare(&findings, lines);
}

#define REFUSE_FILE(name, ...) refuse_file(name, (const char *const[]){__VA_ARGS__, NULL})

START_TEST(a_file_that_cannot_be_read_is_named)
{
    struct place place;

    enter(&place);
    mkdir("dir.yaml", 0755);
    put("empty.yaml", "");
    REFUSE_FILE("none.yaml", "none.yaml: cannot be opened: No such file or directory");
    REFUSE_FILE("dir.yaml", "dir.yaml: is a directory");
    REFUSE_FILE("empty.yaml", "empty.yaml:1:1: the file is empty");
    leave(&place);
}
END_TEST

START_TEST(included_files_are_joined_in_the_order_of_their_names)
{
    struct gd_plan *plan;
    struct place place;

    enter(&place);
    mkdir("d", 0755);
    mkdir("d/routes", 0755);
    put("d/gw.yaml", "include: [routes/*.yaml, more.yaml]\nlisten: 1\n"
                     "routes: {GET /0: {calls: {x: u/}}}\n");
    put("d/routes/b.yaml", "routes: {GET /2: {calls: {x: u/}}}\n");
    put("d/routes/a.yaml", "include: [sub.yml]\nroutes: {GET /1: {calls: {x: u/}}}\n");
    put("d/routes/sub.yml", "upstreams: {u: http://h}\nlog: {level: warn}\n");
    put("d/more.yaml", "defaults: {timeout: 5s}\n");
    plan = accept_file("d/gw.yaml");
    ck_assert_uint_eq(plan->route_count, 3);
    ck_assert_str_eq(plan->routes[1].pattern, "GET /1");
    ck_assert_str_eq(plan->routes[2].pattern, "GET /2");
    ck_assert_int_eq(plan->log.levels[GD_LOG_AREA_DAEMON], GD_LOG_WARN);
    ck_assert_uint_eq(plan->routes[0].timeout_ms, 5000);
    gd_plan_unref(plan);
    leave(&place);
}
END_TEST

START_TEST(mistakes_of_included_files_show_their_place)
{
    struct place place;

    enter(&place);
    put("gw.yaml", "include: [b.yaml, none*.yaml, {}, 7]\nupstreams: {u: http://h}\n"
                   "routes: {GET /: {calls: {x: u/}}}\nworkers: 1\n");
    put("b.yaml", "upstreams: {u: http://h}\nroutes:\n  GET /: {calls: {x: u/}}\n"
                  "workers: 2\nlog: {levl: info}\n");
    REFUSE_FILE("gw.yaml", "gw.yaml:1:19: include[1]: no file matches \"none*.yaml\"",
                "gw.yaml:1:31: include[2]: expected a file pattern, found a map",
                "gw.yaml:1:35: include[3]: no file matches \"7\"",
                "b.yaml:1:13: upstreams.u: this upstream is declared twice, first at "
                "gw.yaml:2:13",
                "b.yaml:3:3: routes.\"GET /\": this route is declared twice, first at "
                "gw.yaml:3:10",
                "b.yaml:4:1: workers: declared twice, first at gw.yaml:4:1; only "
                "upstreams and routes of several files are joined",
                "b.yaml:5:7: log.levl: unknown key; did you mean \"level\"?");
    leave(&place);
}
END_TEST

START_TEST(a_file_that_includes_itself_is_refused)
{
    struct place place;

    enter(&place);
    put("a.yaml", "include: [\"*.yaml\"]\n");
    put("b.yaml", "include: [./a.yaml]\n");
    REFUSE_FILE("a.yaml",
                "a.yaml:1:11: include[0]: a.yaml is read already; a file can be included "
                "once",
                "b.yaml:1:11: include[0]: ./a.yaml is read already; a file can be "
                "included once");
    leave(&place);
}
END_TEST

START_TEST(includes_are_not_followed_without_end)
{
    struct place place;

    enter(&place);
    for (int i = 0; i < 12; i++) {
        char name[16], text[64];

        snprintf(name, sizeof(name), "%d.yaml", i);
        snprintf(text, sizeof(text), "include: [%d.yaml]\n", i + 1);
        put(name, text);
    }
    REFUSE_FILE("0.yaml",
                "8.yaml:1:10: include: files include each other deeper than 8 levels");
    leave(&place);
}
END_TEST

START_TEST(files_that_cannot_be_read_count_as_well)
{
    struct gd_findings findings;
    struct place place;
    char name[32];

    enter(&place);
    for (int i = 0; i < 1500; i++) {
        snprintf(name, sizeof(name), "%d", i);
        ck_assert_int_eq(mkdir(name, 0755), 0);
    }
    put("gw.yaml", "include: [\"[0-9]*\", \"[0-9]*\"]\n");
    ck_assert_ptr_null(gd_plan_load("gw.yaml", &test_options, &findings));
    ck_assert_uint_eq(findings.count, 100);
    ck_assert_str_eq(findings.lines[99], "and 903 more errors that are not shown");
    gd_findings_free(&findings);
    leave(&place);
}
END_TEST

START_TEST(a_missing_file_does_not_make_its_names_unknown)
{
    struct place place;

    enter(&place);
    put("gw.yaml", "include: [b.yaml, d]\nroutes: {GET /: {calls: {x: u/}}}\n");
    put("b.yaml", "upstreams: {u: http://h\n");
    mkdir("d", 0755);
    REFUSE_FILE("gw.yaml", "gw.yaml:1:19: include[1]: d is a directory",
                "b.yaml:2:1: `,` or `}` was expected here; between { and }, a text with "
                "{…} or [ needs quotes");
    leave(&place);
}
END_TEST

START_TEST(secrets_come_from_files)
{
    struct gd_plan *plan;
    struct place place;
    char text[256];

    enter(&place);
    put("token", "s3cret\r\n\n");
    put("bad", "\xff");
    mkfifo("pipe", 0600);
    snprintf(text, sizeof(text), "admin: {token: \"${file:%s/token}\"}\n", place.path);
    plan = plan_accept(text);
    ck_assert_str_eq(plan->admin_token, "s3cret");
    gd_plan_unref(plan);
    put("gw.yaml", "admin: {token: \"${file:/nowhere/x}\"}\n");
    REFUSE_FILE("gw.yaml", "gw.yaml:1:17: admin.token: the file /nowhere/x cannot be "
                           "opened: No such file or directory");
    put("gw.yaml", "admin: {token: \"${file:/dev/zero}\"}\n");
    REFUSE_FILE("gw.yaml",
                "gw.yaml:1:17: admin.token: the file /dev/zero is no regular file");
    snprintf(text, sizeof(text), "workers: ${file:%s/pipe}\nlog: ${file:%s/bad}\n",
             place.path, place.path);
    put("gw.yaml", text);
    snprintf(text, sizeof(text),
             "gw.yaml:1:10: workers: the file %s/pipe is no regular "
             "file",
             place.path);
    {
        char other[128];

        snprintf(other, sizeof(other),
                 "gw.yaml:2:6: log: the file %s/bad is not UTF-8 text", place.path);
        REFUSE_FILE("gw.yaml", text, other);
    }
    leave(&place);
}
END_TEST

/* A configuration of many routes, written as people write them. */
static void write_large(struct gd_buf *out, int routes)
{
    ck_assert(gd_buf_add_text(out, "upstreams:\n"));
    for (int i = 0; i < 50; i++)
        ck_assert(gd_buf_addf(out,
                              "  service-%d:\n    servers: [http://10.0.%d.1:80, "
                              "http://10.0.%d.2:80]\n    timeout: 1s\n",
                              i, i, i));
    ck_assert(gd_buf_add_text(out, "routes:\n"));
    for (int i = 0; i < routes; i++)
        ck_assert(gd_buf_addf(
            out,
            "  GET /tenants/{tenant}/things-%d/{id}:\n    timeout: 900ms\n    calls:\n"
            "      thing: service-%d/things/{id}?tenant={tenant}\n"
            "      owner: service-%d/owners/by-thing/{id}\n"
            "      extra: {url: \"service-%d/extra/{id}\", default: [], timeout: "
            "200ms}\n",
            i, i % 50, (i + 1) % 50, (i + 2) % 50));
}

static double cpu_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

START_TEST(two_thousand_routes_load_in_a_blink)
{
    struct gd_plan *plan;
    struct gd_buf text;
    double start;

    gd_buf_init(&text, NULL, 4 << 20);
    write_large(&text, 2000);
    start = cpu_ms();
    plan = plan_accept_span(gd_buf_span(&text));
    printf("# 2,000 routes, %zu bytes: %.1f ms\n", text.len, cpu_ms() - start);
    /* Generous: sanitizers and valgrind run this, too. */
    ck_assert_double_lt(cpu_ms() - start, 10000);
    ck_assert_uint_eq(plan->route_count, 2000);
    gd_plan_unref(plan);
    gd_buf_free(&text);
}
END_TEST

START_TEST(the_examples_of_this_project_are_accepted)
{
    static const char *const names[] = {"conf/demo.yaml", "conf/gatherd.yaml"};
    char path[512];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (project_file(names[i], path, sizeof(path)))
            gd_plan_unref(accept_file(path));
}
END_TEST

GD_SUITE("plan files", a_file_that_cannot_be_read_is_named,
         included_files_are_joined_in_the_order_of_their_names,
         mistakes_of_included_files_show_their_place,
         a_file_that_includes_itself_is_refused, includes_are_not_followed_without_end,
         files_that_cannot_be_read_count_as_well,
         a_missing_file_does_not_make_its_names_unknown, secrets_come_from_files,
         two_thousand_routes_load_in_a_blink, the_examples_of_this_project_are_accepted)
