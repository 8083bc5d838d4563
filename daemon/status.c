#include "daemon/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/exit.h"

enum { WATCH_S = 2, TEXT_MAX_BYTES = 64 * 1024 * 1024 };

bool gd_status_read(int argc, char **argv, struct gd_status_command *command,
                    struct gd_err *err)
{
    *command = (struct gd_status_command){.endpoint.token = getenv("GATHERD_TOKEN")};
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            command->json = true;
        else if (strcmp(argv[i], "--watch") == 0)
            command->watch = true;
        else if (strcmp(argv[i], "--token") == 0 && i + 1 < argc)
            command->endpoint.token = argv[++i];
        else if (argv[i][0] == '-' || command->endpoint.url)
            return gd_err_set(err,
                              "status takes [URL] [--watch] [--json] [--token TOKEN]");
        else
            command->endpoint.url = argv[i];
    }
    if (command->json && command->watch)
        return gd_err_set(err, "--json and --watch do not go together");
    return true;
}

/* Asks for the document; NULL when it cannot be had, which is said. */
static json_t *ask(const struct gd_status_command *command, struct gd_buf *body)
{
    struct gd_err err;
    json_t *json = NULL;
    int status;

    body->len = 0;
    errno = 0;
    status = gd_operate_ask(&command->endpoint, "GET", "/status", body, &err);
    if (status == 0)
        fprintf(stderr, "gatherd: %s\n", err.text);
    else if (status == 401)
        fputs("gatherd: the admin endpoint wants its token: --token, or GATHERD_TOKEN\n",
              stderr);
    else if (status == 200)
        json = json_loadb(body->data, body->len, 0, NULL);
    if (json == NULL && status != 0 && status != 401)
        fprintf(stderr, "gatherd: what answers with %d is no gatherd\n", status);
    return json;
}

static bool print(struct gd_span text)
{
    return fwrite(text.ptr, 1, text.len, stdout) == text.len && fflush(stdout) == 0;
}

/* Colours are for terminals, and for those who want them (no-color.org). */
static bool wants_colour(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && (no == NULL || *no == '\0') &&
           (term == NULL || strcmp(term, "dumb") != 0);
}

static double now_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static bool print_text(const json_t *status, const json_t *before, double seconds,
                       bool clear)
{
    struct gd_buf text;
    bool ok;

    gd_buf_init(&text, NULL, TEXT_MAX_BYTES);
    ok = (!clear || gd_buf_add_text(&text, "\x1b[H\x1b[2J")) &&
         gd_status_text(status, before, seconds, wants_colour(), &text) &&
         print(gd_buf_span(&text));
    gd_buf_free(&text);
    return ok;
}

static int code_of(const json_t *status, bool printed)
{
    if (!printed)
        return GD_EXIT_IO;
    return gd_status_is_well(status) ? GD_EXIT_OK : GD_EXIT_DEGRADED;
}

static int print_once(const struct gd_status_command *command, struct gd_buf *body)
{
    json_t *status = ask(command, body);
    int code;

    if (status == NULL)
        return GD_EXIT_IO;
    code = code_of(status, command->json ? print(gd_buf_span(body))
                                         : print_text(status, NULL, 0, false));
    json_decref(status);
    return code;
}

/* Until it is interrupted, or nobody answers or reads any more. */
static int watch(const struct gd_status_command *command, struct gd_buf *body)
{
    json_t *before = NULL;
    double before_s = 0;
    bool terminal = isatty(STDOUT_FILENO);
    bool ok = true;

    while (ok) {
        json_t *status = ask(command, body);
        double at_s = now_s();

        ok = status && print_text(status, before, before ? at_s - before_s : 0, terminal);
        if (ok && !terminal)
            ok = print(GD_SPAN("\n"));
        json_decref(before);
        before = status;
        before_s = at_s;
        if (ok)
            sleep(WATCH_S);
    }
    json_decref(before);
    return GD_EXIT_IO;
}

int gd_status_print(const struct gd_status_command *command)
{
    struct gd_buf body;
    int code;

    gd_buf_init(&body, NULL, TEXT_MAX_BYTES);
    code = command->watch ? watch(command, &body) : print_once(command, &body);
    gd_buf_free(&body);
    return code;
}
