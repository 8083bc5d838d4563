#include "plan/yamlwords.h"

#include <stdio.h>

#include "plan/text.h"

/* libyaml's words (a part of them) and ours. */
static const struct {
    const char *theirs;
    const char *ours;
} words[] = {
    {"tab character that violates indentation",
     "a tab cannot be used for indentation; use spaces"},
    {"mapping values are not allowed",
     "a `key: value` cannot stand here; check the indentation, and quote a text that "
     "contains \": \""},
    {"block sequence entries are not allowed",
     "a list item (`- `) cannot stand here; check the indentation"},
    {"could not find expected ':'",
     "a colon is missing here: `key: value`; check the line before, too"},
    {"did not find expected key",
     "a key was expected here; check the indentation and the quotes of the line before"},
    {"did not find expected '-' indicator",
     "a list item (`- `) was expected here; check the indentation"},
    {"did not find expected ',' or '}'",
     "`,` or `}` was expected here; between { and }, a text with {…} or [ needs quotes"},
    {"did not find expected ',' or ']'",
     "`,` or `]` was expected here; between [ and ], a text with {…} or [ needs quotes"},
    {"did not find expected node content", "a value was expected here"},
    {"unexpected end of stream", "the quoted text that starts here is not closed"},
    {"unexpected document indicator", "the quoted text that starts here is not closed"},
    {"found unknown escape character",
     "unknown escape in a text in double quotes; write \\\\ for a backslash"},
    {"did not find expected hexdecimal number",
     "an escape \\x, \\u or \\U needs hexadecimal digits"},
    {"invalid Unicode character escape", "an escape does not name a Unicode character"},
    {"control characters are not allowed", "a control character cannot stand here"},
    {"did not find expected <document start>",
     "nothing but comments can stand behind the end of the map; check the indentation"},
    {"found undefined tag handle", "tags (!name) are not supported"},
    {"did not find expected alphabetic or numeric character",
     "a text that starts with & or * needs quotes"},
    {"exceeded max depth", "nested too deep"},
};

static const char *say(const char *problem)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strstr(problem, words[i].theirs))
            return words[i].ours;
    return problem;
}

/* Characters at which no plain text may start. */
static const char *say_token(struct gd_span text, size_t offset, char *room, size_t size)
{
    char c = offset < text.len ? text.ptr[offset] : ' ';

    if (c == '\t')
        return "a tab cannot be used for indentation; use spaces";
    snprintf(room, size, "a text that starts with %c needs quotes", c);
    return room;
}

void gd_yaml_say_problem(struct gd_report *report, unsigned file, struct gd_span text,
                         const yaml_parser_t *parser)
{
    const char *problem = parser->problem ? parser->problem : "out of memory";
    yaml_mark_t mark = parser->problem_mark;
    struct gd_place place;
    char room[64];
    bool unclosed = strstr(problem, "unexpected end of stream") ||
                    strstr(problem, "unexpected document indicator");

    if (parser->error == YAML_READER_ERROR) {
        gd_report_place(report, gd_text_place(file, text, parser->problem_offset), "%s",
                        say(problem));
        return;
    }
    /* Of a text that never ends, its start is what helps. */
    if (unclosed && parser->context)
        mark = parser->context_mark;
    place = (struct gd_place){file, (unsigned)mark.line + 1, (unsigned)mark.column + 1};
    if (strstr(problem, "cannot start any token"))
        gd_report_place(
            report, place, "%s",
            say_token(text, gd_text_offset(text, mark.index), room, sizeof(room)));
    else
        gd_report_place(report, place, "%s", say(problem));
}
