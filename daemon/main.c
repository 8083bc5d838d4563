/**
 * The command line: one row a subcommand.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/exit.h"
#include "daemon/demo.h"
#include "daemon/explain.h"
#include "daemon/operate.h"
#include "daemon/run.h"
#include "daemon/status.h"
#include "plan/load.h"

struct command {
    const char *name, *arguments, *help;
    int (*run)(int argc, char **argv); /* argv[0] is the first argument behind the name */
};

static const struct command *all_commands(void);

static char **whole_argv; /* of the process */

static void print_usage(FILE *to)
{
    fputs("gatherd gathers: one request, many upstream calls, one answer.\n\nusage:\n",
          to);
    for (const struct command *command = all_commands(); command->name; command++)
        fprintf(to, "  gatherd %-9s %-16s %s\n", command->name, command->arguments,
                command->help);
}

static int usage(const char *complaint, const char *word)
{
    fprintf(stderr, "gatherd: %s%s\n\n", complaint, word);
    print_usage(stderr);
    return GD_EXIT_USAGE;
}

/* Writes text to standard output; a full disk or closed pipe is told by the exit code. */
static int print(struct gd_span text)
{
    size_t n = fwrite(text.ptr, 1, text.len, stdout);

    return n == text.len && fflush(stdout) == 0 ? GD_EXIT_OK : GD_EXIT_IO;
}

static int print_findings(struct gd_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        fprintf(stderr, "%s\n", findings->lines[i]);
    gd_findings_free(findings);
    return GD_EXIT_CONFIG;
}

static int command_run(int argc, char **argv)
{
    const char *file = GD_CONFIG_FILE;
    struct gd_findings findings = {0};
    struct gd_plan *plan;

    if (argc == 2 && strcmp(argv[0], "-c") == 0)
        file = argv[1];
    else if (argc != 0)
        return usage("run takes -c FILE and nothing else", "");
    plan = gd_plan_load(file, NULL, &findings);
    if (plan == NULL)
        return print_findings(&findings);
    return gd_run(plan, file, whole_argv);
}

static int command_check(int argc, char **argv)
{
    struct gd_findings findings = {0};
    struct gd_plan *plan;

    if (argc != 1)
        return usage("check takes one FILE", "");
    plan = gd_plan_load(argv[0], NULL, &findings);
    if (plan == NULL)
        return print_findings(&findings);
    printf("%s is good: %u routes, %u upstreams\n", argv[0], plan->route_count,
           plan->upstream_count);
    gd_plan_unref(plan);
    return fflush(stdout) == 0 ? GD_EXIT_OK : GD_EXIT_IO;
}

static int command_explain(int argc, char **argv)
{
    struct gd_findings findings = {0};
    struct gd_explain_command command;
    struct gd_plan *plan;
    struct gd_err err;
    int code = GD_EXIT_OK;
    bool ok;

    if (!gd_explain_read(argc, argv, &command, &err))
        return usage(err.text, "");
    plan = gd_plan_load(command.file, NULL, &findings);
    if (plan == NULL)
        return print_findings(&findings);
    ok = gd_explain_print(plan, &command, &code, &err);
    gd_plan_unref(plan);
    return ok ? code : usage(err.text, "");
}

static int command_reload(int argc, char **argv)
{
    if (argc > 1)
        return usage("reload takes at most the URL of the admin endpoint", "");
    return gd_operate_reload(argc ? argv[0] : NULL);
}

static int command_status(int argc, char **argv)
{
    struct gd_status_command command;
    struct gd_err err;

    return gd_status_read(argc, argv, &command, &err) ? gd_status_print(&command)
                                                      : usage(err.text, "");
}

static int command_demo(int argc, char **argv)
{
    struct gd_findings findings = {0};
    struct gd_plan *plan;

    (void)argv;
    if (argc != 0)
        return usage("demo takes no arguments", "");
    plan = gd_demo_plan(&findings);
    if (plan == NULL)
        return print_findings(&findings);
    gd_demo_explain(plan);
    return gd_run(plan, NULL, whole_argv);
}

static int print_generated(bool (*generate)(struct gd_buf *out), int argc,
                           const char *complaint)
{
    struct gd_buf out;
    int code = GD_EXIT_IO;

    if (argc != 0)
        return usage(complaint, "");
    gd_buf_init(&out, NULL, 16 * 1024 * 1024);
    if (generate(&out))
        code = print(gd_buf_span(&out));
    gd_buf_free(&out);
    return code;
}

static int command_schema(int argc, char **argv)
{
    (void)argv;
    return print_generated(gd_schema_json, argc, "schema takes no arguments");
}

static int command_reference(int argc, char **argv)
{
    (void)argv;
    return print_generated(gd_schema_reference, argc, "reference takes no arguments");
}

static int command_version(int argc, char **argv)
{
    (void)argv;
    if (argc != 0)
        return usage("version takes no arguments", "");
    return print(GD_SPAN("gatherd " GD_VERSION "\n"));
}

static int command_help(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    print_usage(stdout);
    return fflush(stdout) == 0 ? GD_EXIT_OK : GD_EXIT_IO;
}

static const struct command commands[] = {
    {"run", "[-c FILE]", "answer requests until SIGTERM (in the foreground)",
     command_run},
    {"check", "FILE", "say everything that is wrong with a configuration", command_check},
    {"explain", "FILE 'GET /path'",
     "say what would be done with a request (-H 'Name: value', --json)", command_explain},
    {"reload", "[URL]", "let a running gatherd read its configuration again",
     command_reload},
    {"status", "[URL]",
     "show what a running gateway does (--watch, --json, --token TOKEN)", command_status},
    {"demo", "", "run a gateway with built-in upstreams, ready to try", command_demo},
    {"schema", "", "print the JSON Schema of the configuration, for editors",
     command_schema},
    {"reference", "", "print the reference of all options, as Markdown",
     command_reference},
    {"version", "", "print the version", command_version},
    {"help", "", "print this", command_help},
    {NULL, NULL, NULL, NULL},
};

static const struct command *all_commands(void)
{
    return commands;
}

/* A standard descriptor that is closed would go to the first socket, and the log with it
 * to a client. In its place comes one that can't be written, so that output still fails.
 */
static void fill_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;

    whole_argv = argv;
    fill_standard_descriptors();
    if (name == NULL)
        return usage("no command given", "");
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0)
        name = "version";
    for (const struct command *command = all_commands(); command->name; command++)
        if (strcmp(command->name, name) == 0)
            return command->run(argc - 2, argv + 2);
    return usage("there is no command ", name);
}
