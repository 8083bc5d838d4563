#ifndef GD_BASE_MEM_H
#define GD_BASE_MEM_H
/**
 * Memory of the process.
 *
 * Two kinds of allocation, told apart by who chose the size. What the program itself
 * sizes (objects, tables of the configuration) never returns NULL: running out there
 * cannot be mended, so the process aborts. What a peer sizes (bodies, heads) uses
 * gd_try_alloc and the caller turns NULL into a failure of that one request.
 */
#include <stddef.h>

/** Returns owned, zeroed memory; aborts when there is none. */
void *gd_alloc(size_t size) __attribute__((malloc, returns_nonnull));

/** Returns owned, zeroed memory for count objects; aborts on overflow or when there is
 * none. */
void *gd_alloc_array(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/** Resizes memory of gd_alloc/gd_realloc (new bytes are not zeroed); aborts on failure.
 */
void *gd_realloc(void *ptr, size_t size) __attribute__((returns_nonnull));

/** Returns owned, uninitialised memory, or NULL when there is none. */
void *gd_try_alloc(size_t size) __attribute__((malloc));

/** Returns an owned copy of text; aborts when there is no memory. */
char *gd_strdup(const char *text) __attribute__((malloc, returns_nonnull));

/** Releases memory of any function above; NULL is fine. */
void gd_free(void *ptr);

#endif
