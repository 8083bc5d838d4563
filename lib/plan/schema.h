#ifndef GD_PLAN_SCHEMA_H
#define GD_PLAN_SCHEMA_H
/**
 * The schema: reading maps of a configuration by the rows of schema_table.h.
 */
#include "plan/report.h"
#include "plan/yamldoc.h"

/** Types of options: X(id, what a message says was expected, word of the reference).
 * Those after TEXT write the node itself, and the loader makes of it what it stands for.
 */
#define GD_TYPE_ROWS(X)                                                                  \
    X(BOOL, "true or false (or on, off)", "boolean")                                     \
    X(INT, "a whole number", "number")                                                   \
    X(DURATION, "a duration like 250ms, 2s, 5m or 1h", "duration")                       \
    X(RANGE, "a duration like 250ms, or a range like 20ms..80ms", "duration or range")   \
    X(SIZE, "a size like 64KiB, 10MiB or 1MB", "size")                                   \
    X(PERCENT, "a percentage like 20%", "percentage")                                    \
    X(ENUM, "a word", "word")                                                            \
    X(SECTION, "a map of options (`key: value`)", "options, see below")                  \
    X(TEXT, "text", "text")                                                              \
    X(MAP, "a map (`name: …`)", "map")                                                   \
    X(HEADERS, "a map of header fields (`Name: value`)", "map of `Name: value`")         \
    X(PATTERNS, "a list of file patterns", "list of patterns")                           \
    X(ADDRESSES, "a port, a URL, unix:/PATH, systemd:NAME, or a list of these",          \
      "address, or list of them or options, see below")                                  \
    X(ADMIN, "a URL, unix:/PATH, off, or a map with url and token",                      \
      "address, `off`, or options, see below")                                           \
    X(SERVERS, "a URL like http://10.0.0.5:8001, or a list of these",                    \
      "URL, or list of URLs or options, see below")                                      \
    X(NETWORKS, "an address, a network like 10.0.0.0/8, unix, or a list of these",       \
      "address or network, or list of them")                                             \
    X(REDIRECT, "a path, a URL, or a map with to and status",                            \
      "path or URL, or options, see below")                                              \
    X(FOLDER, "a folder, or a map with dir", "folder, or options, see below")            \
    X(TEXTS, "a map of texts (`name: text`)", "map of `name: text`")                     \
    X(LIST, "a text, or a list of texts", "text, or list of texts")                      \
    X(NAMES, "a list of names", "list of names")                                         \
    X(STATUSES, "a list of statuses like [2xx, 404]", "list of statuses")                \
    X(MERGE, "named, flat or deep, or a map with mode and conflict",                     \
      "word, or options, see below")                                                     \
    X(BALANCE, "round_robin, least_pending, random_two or hash({…})",                    \
      "word, or `hash({…})`")                                                            \
    X(SWITCH, "off, or a map of options (`key: value`)", "`off`, or options, see below") \
    X(LOG, "off, stderr, journal, syslog, the full path of a file, or a map of options", \
      "place, or options, see below")                                                    \
    X(ACCESS, "on, off, or a map of options (`key: value`)",                             \
      "boolean, or options, see below")                                                  \
    X(HEDGE, "off, p95, or a duration like 50ms", "`off`, `p95`, or duration")           \
    X(MAPS, "a list of maps of options (`- key: value`)", "list of options, see below")  \
    X(JSON, "a value", "any value")                                                      \
    X(NODE, "a map of options (`key: value`)", "options, see below")

enum gd_type {
#define X(id, words, noun) GD_TYPE_##id,
    GD_TYPE_ROWS(X)
#undef X
};

#include "plan/schema_table.h"

enum gd_section {
    GD_SECTION_NONE,
#define X(id, type, title, help) GD_SECTION_##id,
    GD_SECTION_ROWS(X)
#undef X
        GD_SECTIONS
};

struct gd_section_info {
    const char *id, *title, *help;
};

struct gd_option {
    enum gd_section section;
    const char *key;
    enum gd_type type;
    enum gd_section of;
    size_t offset, width; /* of the field in the section's struct */
    uint64_t min, max;
    const char *fallback; /* as written in the file; "" for none */
    const char *words;
    bool reload; /* a reload applies a changed value */
    const char *help;
};

/** All rows, in the order of the table. */
extern const struct gd_option gd_options[];
extern const size_t gd_option_count;
const struct gd_section_info *gd_section_info(enum gd_section section);

/** Whether a row is read in a section: `defaults` takes the routes' rows but those that
 *  say what is answered. */
bool gd_option_in(const struct gd_option *option, enum gd_section section);

/** Whether a map of its section must have it. */
bool gd_option_required(const struct gd_option *option);

/** Writes the defaults of a section, and of the sections inside, into target. */
void gd_schema_defaults(enum gd_section section, void *target);

/** Reads a map into target: fields without a key keep what they hold. All that is wrong
 *  is reported; false when something was. */
bool gd_schema_read(struct gd_report *report, enum gd_section section,
                    const struct gd_yaml_node *map, void *target);

/** What a message says was expected for a type. */
const char *gd_type_words(enum gd_type type);

#endif
