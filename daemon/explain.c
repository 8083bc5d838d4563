#include "daemon/explain.h"

#include <stdio.h>

#include "daemon/exit.h"
#include "gather/explain.h"

enum { WORDS_MAX = 3, TEXT_MAX_BYTES = 64 * 1024 * 1024 };

static bool read_field(struct gd_explain_command *command, const char *text,
                       struct gd_err *err)
{
    struct gd_field *field = &command->items[command->fields.count];
    const char *colon = strchr(text, ':');
    struct gd_span value = colon ? gd_span_of(colon + 1) : GD_SPAN_NONE;

    if (command->fields.count == GD_EXPLAIN_FIELDS_MAX)
        return gd_err_set(err, "explain takes at most %d fields", GD_EXPLAIN_FIELDS_MAX);
    field->name = (struct gd_span){text, colon ? (size_t)(colon - text) : 0};
    field->value = gd_span_trim(value, " \t");
    if (!gd_is_token(field->name) ||
        (field->value.len && !gd_is_field_value(field->value)))
        return gd_err_set(err, "-H takes a field like 'Name: value', not '%.200s'", text);
    field->id = gd_field_id_of(field->name);
    command->fields.count++;
    return true;
}

/* What is no option: FILE, and the request as one word or two. */
static bool read_words(struct gd_explain_command *command, char **words, unsigned count,
                       struct gd_err *err)
{
    const char *space;

    if (count < 2)
        return gd_err_set(err, "explain takes a FILE and a request like 'GET /path'");
    command->file = words[0];
    command->method = GD_SPAN("GET");
    command->target = gd_span_of(words[count - 1]);
    space = strchr(words[1], ' ');
    if (count == 3)
        command->method = gd_span_of(words[1]);
    else if (space) {
        command->method = (struct gd_span){words[1], (size_t)(space - words[1])};
        command->target = gd_span_trim(gd_span_of(space), " ");
    }
    return true;
}

bool gd_explain_read(int argc, char **argv, struct gd_explain_command *command,
                     struct gd_err *err)
{
    char *words[WORDS_MAX];
    unsigned count = 0;

    *command = (struct gd_explain_command){.fields = {command->items, 0}};
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            command->json = true;
        } else if (strcmp(argv[i], "-H") == 0) {
            if (++i == argc)
                return gd_err_set(err, "-H takes a field like 'Name: value'");
            if (!read_field(command, argv[i], err))
                return false;
        } else if (argv[i][0] == '-' && argv[i][1]) {
            return gd_err_set(err, "explain has no option %.200s", argv[i]);
        } else if (count == WORDS_MAX) {
            return gd_err_set(err, "explain takes one FILE and one request");
        } else {
            words[count++] = argv[i];
        }
    }
    return read_words(command, words, count, err);
}

static bool print_json(const json_t *document)
{
    return json_dumpf(document, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(15)) == 0 &&
           putchar('\n') != EOF;
}

static bool print_text(const json_t *document)
{
    struct gd_buf text;
    bool ok;

    gd_buf_init(&text, NULL, TEXT_MAX_BYTES);
    ok = gd_explain_text(document, &text) &&
         fwrite(text.data, 1, text.len, stdout) == text.len;
    gd_buf_free(&text);
    return ok;
}

bool gd_explain_print(const struct gd_plan *plan,
                      const struct gd_explain_command *command, int *code,
                      struct gd_err *err)
{
    struct gd_explain_request request = {
        .method = command->method,
        .target = command->target,
        .fields = &command->fields,
    };
    json_t *document = gd_explain(plan, &request, err);
    bool ok;

    if (document == NULL)
        return false;
    ok = command->json ? print_json(document) : print_text(document);
    *code = gd_explain_has_route(document) ? GD_EXIT_OK : GD_EXIT_NO_ROUTE;
    if (!ok || fflush(stdout) != 0)
        *code = GD_EXIT_IO;
    json_decref(document);
    return true;
}
