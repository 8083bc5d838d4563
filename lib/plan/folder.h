#ifndef GD_PLAN_FOLDER_H
#define GD_PLAN_FOLDER_H
/**
 * A folder whose files are answers.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct gd_plan_type {
    struct gd_span extension; /* lower case, without dot */
    struct gd_span type;
};

struct gd_plan_folder {
    int fd;               /* of the folder, opened with the plan, closed with it */
    const char *dir;      /* as written */
    const char *index;    /* of a folder; NULL: none */
    const char *fallback; /* path of what is answered when there is no file; NULL: 404 */
    bool dotfiles;
    bool precompressed;               /* `a.js.br` and `a.js.gz` stand for `a.js` */
    const struct gd_plan_type *types; /* before the usual ones */
    unsigned type_count;
};

/** The type of a file by its name; *known: false when there is none for it, and it is
 *  application/octet-stream. */
struct gd_span gd_folder_type(const struct gd_plan_folder *folder, struct gd_span name,
                              bool *known);

/** Opens what is at a path below a folder, and never anything outside it: not by `..`,
 *  not by a link, not by a descriptor of /proc. path: relative, terminated. Returns an
 *  owned descriptor, or -1 with errno. */
int gd_folder_open(int fd, const char *path, int flags);

#endif
