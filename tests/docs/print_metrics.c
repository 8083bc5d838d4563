/* Prints docs/metrics.md from the rows of base/stat_table.h. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/stat.h"

static void print_row(const struct gd_stat_row *row, bool repeated)
{
    if (!repeated)
        printf("| `%s` | %s |", row->name,
               row->kind == GD_STAT_COUNTER ? "counter" : "gauge");
    else
        printf("| | |");
    printf(row->label[0] ? " `%s` |" : " %s|", row->label);
    printf(" %s |\n", repeated ? "" : row->help);
}

static void print_scope(const char *title, const char *about,
                        const struct gd_stat_row *rows, unsigned count)
{
    printf("\n## %s\n\n%s\n\n| metric | kind | label | meaning |\n|---|---|---|---|\n",
           title, about);
    for (unsigned i = 0; i < count; i++)
        print_row(&rows[i], i > 0 && strcmp(rows[i].name, rows[i - 1].name) == 0);
}

int main(void)
{
    puts("# Metrics\n\n"
         "Generated from `lib/base/stat_table.h`; a test keeps it true. All are added up "
         "over\nthe workers. `/metrics` has the names below, `/status` the same numbers "
         "as JSON under\nthe name without its prefix and `_total`, with labels as keys.");
    print_scope("The process", "One value each; `gatherd_ready` is 1 while ready.",
                gd_stat_process_rows, GD_PROCESS_STATS);
    print_scope("Clients", "One value each.", gd_stat_worker_rows, GD_WORKER_STATS);
    print_scope("Routes",
                "With the label `route`. `gatherd_route_seconds` is a histogram of the "
                "time from head to answer.",
                gd_stat_route_rows, GD_ROUTE_STATS);
    print_scope("Upstreams",
                "With the label `upstream`. `gatherd_upstream_seconds` is a histogram of "
                "the time from start to end of a call.",
                gd_stat_upstream_rows, GD_UPSTREAM_STATS);
    print_scope("Servers", "With the labels `upstream` and `server`.",
                gd_stat_server_rows, GD_SERVER_STATS);
    print_scope("Names", "With the labels `upstream` and `name`, of the process.",
                gd_stat_name_rows, GD_NAME_STATS);
    return 0;
}
