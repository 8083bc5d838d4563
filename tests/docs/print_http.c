/* Prints docs/http.md from the battery of tests/unit/http_cases.h. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../unit/http_cases.h"

static const struct {
    const char *where, *what;
} rules[] = {
#define X(id, where, what) {where, what},
    HTTP_RULE_ROWS(X)
#undef X
};

/* Whether the bytes at hand begin with these; then they are skipped. */
static bool skip(const char **at, const char *end, const char *what)
{
    size_t len = strlen(what);

    if ((size_t)(end - *at) < len || memcmp(*at, what, len) != 0)
        return false;
    *at += len;
    return true;
}

static void print_byte(unsigned char byte)
{
    if (byte == '\r')
        fputs("\\r", stdout);
    else if (byte == '\n')
        fputs("\\n", stdout);
    else if (byte == '\t')
        fputs("\\t", stdout);
    else if (byte == '|')
        fputs("\\|", stdout); /* of the table */
    else if (byte < ' ' || byte > '~' || byte == '`')
        printf("\\x%02x", byte);
    else
        putchar(byte);
}

/* What is the same in many of them is told by a word. */
static void print_bytes(const struct request_case *test)
{
    const char *at = test->bytes, *end = at + test->len;

    fputs("`", stdout);
    while (at < end)
        if (skip(&at, end, NEXT))
            fputs("(next)", stdout);
        else if (skip(&at, end, POST))
            fputs("(post)", stdout);
        else if (skip(&at, end, GET))
            fputs("(get)", stdout);
        else
            print_byte((unsigned char)*at++);
    fputs("`", stdout);
}

/* In words what the verdict says: statuses of the answers, and `cl` for a close. */
static void print_verdict(const char *verdict)
{
    if (verdict[0] == '\0') {
        fputs("waits for the rest; 408 and close at the deadline", stdout);
    } else if (verdict[0] != '2') {
        printf("%.3s and close", verdict);
    } else {
        fputs("takes it", stdout);
        if (strstr(verdict, "cl"))
            fputs(", and closes behind its answer", stdout);
        else if (verdict[3] == ' ')
            fputs(", and what is behind it", stdout);
    }
}

static void print_cases(const char *title, const struct request_case *tests, size_t count)
{
    printf("\n## %s\n\n| case | what is sent | the standard | gatherd |\n"
           "|---|---|---|---|\n",
           title);
    for (size_t i = 0; i < count; i++) {
        printf("| %s | ",
               strncmp(tests[i].name, "target ", 7) ? tests[i].name : "target");
        print_bytes(&tests[i]);
        printf(" | %s: %s | ", rules[tests[i].rule].where, rules[tests[i].rule].what);
        print_verdict(tests[i].verdict);
        fputs(" |\n", stdout);
    }
}

#define PRINT(title, cases) print_cases(title, cases, sizeof(cases) / sizeof(cases[0]))

int main(void)
{
    puts("# HTTP, case by case\n\n"
         "How gatherd reads requests that are malformed, ambiguous or merely unusual. "
         "Printed from `tests/unit/http_cases.h`,\nwhose every case is a test: on the "
         "parser and on a real socket, in one piece, byte by byte and in random pieces, "
         "always\nwith the same outcome.\n\n"
         "The rule is: what two readers could understand in two ways is refused, with "
         "400 where nothing else fits better, the connection\nis closed, nothing behind "
         "it is read as a request, and no upstream hears of any of it. What is unusual "
         "but clear is taken.\n\n"
         "`(get)` stands for `GET / HTTP/1.1\\r\\nHost: a\\r\\n`, `(post)` for `POST /p "
         "HTTP/1.1\\r\\nHost: a\\r\\n`, and `(next)` for a whole second\nrequest, `GET "
         "/NEXT`. That a request is taken says that it is one; routes decide whether "
         "its method and path are answered with\nanything but 404 or 405. Sizes beyond "
         "`limits` are 414, 431 and 413.");
    PRINT("Where a request ends", framing_cases);
    PRINT("Bodies in chunks", chunk_cases);
    PRINT("Fields", field_cases);
    PRINT("The request line", line_cases);
    return 0;
}
