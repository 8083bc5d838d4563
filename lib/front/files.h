#ifndef GD_FRONT_FILES_H
#define GD_FRONT_FILES_H
/**
 * Routes with files: files.c finds the file, file_answer.c answers it.
 *
 * Disks have no readiness: opening and reading block the worker for as long as the disk
 * takes, which is nothing for what the system has in memory. So no more than a slice is
 * read in a turn of the loop.
 */
#include <sys/stat.h>

#include "front/passage.h"

/** An open regular file. */
struct gd_file {
    int fd;
    struct stat stat;
    const char *path; /* below the folder, terminated */
};

/** Answers the file as the request wants it: all, a range, 304, in a coding. Takes the
 *  descriptor. The request may be gone afterwards. */
void gd_file_answer(struct gd_passage *passage, const struct gd_file *file);

/** Opens a regular file below the folder of the route; false with errno: EISDIR for a
 *  folder, ENOENT for what is neither. Counted as open until gd_file_close. */
GD_MUST_CHECK bool gd_file_open(struct gd_passage *passage, const char *path,
                                struct gd_file *out);
void gd_file_close(struct gd_passage *passage, int fd);

#endif
