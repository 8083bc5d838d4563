#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "plan/loader.h"
#include "plan/schema.h"

enum { INCLUDE_DEPTH_MAX = 8, FILES_MAX = 1000, TOTAL_MAX = 16 << 20 };

/* A file that is being read, and those that include it. */
struct source {
    const struct source *by;
    const struct gd_yaml_node *at; /* the pattern that named it; NULL for the first */
    const char *name;
    unsigned depth;
};

/* Files known already, by device and inode. */
struct known {
    dev_t dev;
    ino_t ino;
};

struct reader {
    struct gd_loader *loader;
    struct known *known;
    unsigned known_count;
    size_t total;   /* bytes read */
    unsigned tried; /* files that patterns have named */
};

static void read_includes(struct reader *reader, const struct source *source,
                          const struct gd_yaml_node *root);

static void say_file(struct reader *reader, const struct source *source,
                     const char *problem)
{
    struct gd_report *report = &reader->loader->report;

    reader->loader->incomplete = true;
    if (source->at)
        gd_report_value(report, source->at, "%s %s", source->name, problem);
    else
        gd_report_place(report, (struct gd_place){.line = 0}, "%s", problem);
}

/* A file that cannot be told apart by its inode is not there; reading it says so. */
static bool is_new(struct reader *reader, const struct source *source)
{
    struct stat info;

    if (stat(source->name, &info) != 0)
        return true;
    for (unsigned i = 0; i < reader->known_count; i++)
        if (reader->known[i].dev == info.st_dev && reader->known[i].ino == info.st_ino) {
            say_file(reader, source, "is read already; a file can be included once");
            return false;
        }
    reader->known =
        gd_realloc(reader->known, (reader->known_count + 1) * sizeof(*reader->known));
    reader->known[reader->known_count++] = (struct known){info.st_dev, info.st_ino};
    return true;
}

static void parse_source(struct reader *reader, const struct source *source,
                         unsigned file, struct gd_span text)
{
    struct gd_loader *loader = reader->loader;
    const struct gd_yaml_node *root = gd_yaml_parse(&loader->yaml, file, text);

    if (root == NULL) {
        loader->incomplete = true;
        return;
    }
    loader->roots = gd_realloc((void *)loader->roots,
                               (loader->root_count + 1) * sizeof(const void *));
    loader->roots[loader->root_count++] = root;
    read_includes(reader, source, root);
}

static void read_source(struct reader *reader, const struct source *source)
{
    struct gd_report *report = &reader->loader->report;
    struct gd_buf text;
    struct gd_err err;

    if (!is_new(reader, source))
        return;
    gd_buf_init(&text, NULL, GD_YAML_FILE_MAX);
    if (!gd_yaml_read(source->name, source->at == NULL, GD_YAML_FILE_MAX, &text, &err)) {
        say_file(reader, source, err.text);
    } else if (text.len > TOTAL_MAX - reader->total) {
        say_file(reader, source, "is too much: all files together can have 16 MiB");
    } else {
        unsigned file = source->at ? gd_report_file(report, source->name) : 0;

        reader->total += text.len;
        parse_source(reader, source, file, gd_buf_span(&text));
    }
    gd_buf_free(&text);
}

/* The pattern as glob wants it: relative to the folder of the file that names it, whose
 * own name is no pattern. */
static char *full_pattern(const char *file, const char *pattern)
{
    const char *slash = strrchr(file, '/');
    size_t dir = *pattern != '/' && slash ? (size_t)(slash - file) + 1 : 0;
    char *full = gd_alloc(dir * 2 + strlen(pattern) + 1);
    size_t len = 0;

    for (size_t i = 0; i < dir; i++) {
        if (strchr("*?[]\\", file[i]))
            full[len++] = '\\';
        full[len++] = file[i];
    }
    memcpy(full + len, pattern, strlen(pattern) + 1);
    return full;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* What cannot be read counts as well: a pattern may match all there is on the machine. */
static bool may_try(struct reader *reader, const struct gd_yaml_node *node)
{
    if (reader->tried < FILES_MAX) {
        reader->tried++;
        return true;
    }
    reader->loader->incomplete = true;
    return gd_report_value(&reader->loader->report, node,
                           "more than %d files are included", FILES_MAX);
}

static void read_pattern(struct reader *reader, const struct source *source,
                         const struct gd_yaml_node *node)
{
    struct gd_report *report = &reader->loader->report;
    char *pattern = full_pattern(source->name, node->text.ptr);
    struct gd_words words;
    glob_t found;
    int rc = glob(pattern, GLOB_NOSORT, NULL, &found);

    if (rc == 0) {
        qsort(found.gl_pathv, found.gl_pathc, sizeof(char *), compare_names);
        for (size_t i = 0; i < found.gl_pathc && may_try(reader, node); i++) {
            struct source inner = {source, node, found.gl_pathv[i], source->depth + 1};

            read_source(reader, &inner);
        }
    } else {
        reader->loader->incomplete = true;
        gd_report_value(report, node, "no file matches %s",
                        gd_words_quote(&words, node->text));
    }
    globfree(&found);
    gd_free(pattern);
}

static void read_includes(struct reader *reader, const struct source *source,
                          const struct gd_yaml_node *root)
{
    struct gd_report *report = &reader->loader->report;
    const struct gd_yaml_node *include = gd_yaml_get(root, "include");
    struct gd_words words;

    if (include == NULL)
        return;
    if (source->depth == INCLUDE_DEPTH_MAX) {
        gd_report_value(report, include, "files include each other deeper than %d levels",
                        INCLUDE_DEPTH_MAX);
        return;
    }
    if (include->kind != GD_YAML_LIST) {
        gd_report_value(report, include, "expected a list of file patterns, found %s",
                        gd_words_found(&words, include));
        return;
    }
    for (const struct gd_yaml_node *node = include->first; node; node = node->next) {
        if (node->kind != GD_YAML_SCALAR || node->text.len == 0)
            gd_report_value(report, node, "expected a file pattern, found %s",
                            gd_words_found(&words, node));
        else if (!node->broken)
            read_pattern(reader, source, node);
    }
}

void gd_load_files(struct gd_loader *loader, const char *name, const struct gd_span *text)
{
    struct reader reader = {.loader = loader};
    struct source first = {.name = name};

    gd_report_file(&loader->report, name);
    if (text == NULL)
        read_source(&reader, &first);
    else if (text->len > GD_YAML_FILE_MAX)
        gd_report_place(&loader->report, (struct gd_place){.line = 0},
                        "is larger than %d KiB", GD_YAML_FILE_MAX / 1024);
    else
        parse_source(&reader, &first, 0, *text);
    gd_free(reader.known);
}
