#ifndef GD_PLAN_YAMLDOC_H
#define GD_PLAN_YAMLDOC_H
/**
 * YAML text as an immutable tree of nodes that know where they stand.
 *
 * The events of libyaml become nodes in an arena. Aliases share what they name, and what
 * they would expand to is counted, so that a small file cannot become a large tree:
 * values, text, nesting and the file itself are bounded. Refused besides: several
 * documents, tags, merge keys, keys that are no scalars or stand twice, NUL characters,
 * text that is not UTF-8.
 */
#include "base/arena.h"
#include "plan/load.h"
#include "plan/report.h"

enum {
    GD_YAML_FILE_MAX = 4 << 20, /* bytes of one file */
    GD_YAML_TEXT_MAX = 8 << 20, /* bytes of all scalars of a load, aliases expanded */
    GD_YAML_NODES_MAX = 100000, /* values and keys of a load, aliases expanded */
    GD_YAML_DEPTH_MAX = 64
};

enum gd_yaml_kind { GD_YAML_SCALAR, GD_YAML_LIST, GD_YAML_MAP };

/** Small on purpose: a large file has many. */
struct gd_yaml_node {
    uint8_t kind;   /* enum gd_yaml_kind */
    uint8_t height; /* of the tree below, 0 for a scalar */
    uint16_t file;
    bool plain;    /* scalar without quotes, or one made of a `${…}` */
    bool verbatim; /* scalar on one line without escapes: columns can be counted */
    bool broken;   /* scalar with a `${…}` that failed; reported already */
    unsigned line, col;
    unsigned index;                /* among the values of the parent */
    unsigned count;                /* values inside */
    unsigned nodes, bytes;         /* of all below and itself, aliases expanded */
    const struct gd_yaml_node *up; /* parent, NULL for a root */
    const struct gd_yaml_node *key;
    struct gd_yaml_node *next;
    const char *source; /* scalar before `${…}`; NULL when unchanged */
    union {
        struct gd_span text; /* scalar, terminated */
        struct {
            struct gd_yaml_node *first, *last; /* list, map */
        };
    };
};

/** All that is read in one load. */
struct gd_yaml {
    struct gd_arena arena; /* owns nodes and text */
    struct gd_report *report;
    const struct gd_load_options *options; /* may be NULL */
    unsigned nodes, bytes;                 /* so far */
};

void gd_yaml_init(struct gd_yaml *yaml, struct gd_report *report,
                  const struct gd_load_options *options);
void gd_yaml_free(struct gd_yaml *yaml);

/** Parses the text of a file of the report. Returns borrowed: the root, always a map;
 *  NULL with something reported when there is none. Duplicate keys and unset `${…}` are
 *  reported and the tree is returned all the same. */
const struct gd_yaml_node *gd_yaml_parse(struct gd_yaml *yaml, unsigned file,
                                         struct gd_span text);

/** Reads a whole file into buf. False with err: the sentence, without the name. pipes:
 *  also what may keep the reader waiting; without, only regular files. */
GD_MUST_CHECK bool gd_yaml_read(const char *path, bool pipes, size_t max_bytes,
                                struct gd_buf *buf, struct gd_err *err);

/** The value of a key, NULL when it is not there or node is no map. */
const struct gd_yaml_node *gd_yaml_get(const struct gd_yaml_node *node, const char *key);

/** Whether nothing was written, or a plain `~` or `null`. */
bool gd_yaml_is_null(const struct gd_yaml_node *node);

#endif
