#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *ptr)
{
    if (ptr == NULL) {
        fputs("gatherd: out of memory\n", stderr);
        abort();
    }
    return ptr;
}

void *gd_alloc(size_t size)
{
    return must(calloc(1, size ? size : 1));
}

void *gd_alloc_array(size_t count, size_t size)
{
    return must(calloc(count ? count : 1, size ? size : 1));
}

void *gd_realloc(void *ptr, size_t size)
{
    return must(realloc(ptr, size ? size : 1));
}

void *gd_try_alloc(size_t size)
{
    return malloc(size ? size : 1);
}

char *gd_strdup(const char *text)
{
    return must(strdup(text));
}

void gd_free(void *ptr)
{
    free(ptr);
}
