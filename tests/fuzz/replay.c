/*
 * Runs a fuzz target without a fuzzer: over each file of its corpus, over every
 * beginning of a short one, and over a few fixed mutations of each. So what fuzzing once
 * found stays tested in every build.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 20, PREFIXES_BELOW = 2048, MUTATIONS = 64 };

/* Hands over a copy of its exact size, so that reading past the end is seen. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (!copy)
        abort();
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_mutations(uint8_t *data, size_t size)
{
    uint32_t random = 2463534242U;

    for (int i = 0; i < MUTATIONS && size > 0; i++) {
        size_t at;
        uint8_t kept;

        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        at = random % size;
        kept = data[at];
        data[at] = (uint8_t)(random >> 24);
        run(data, size);
        data[at] = kept;
    }
}

static void run_file(const char *path)
{
    static uint8_t data[INPUT_MAX];
    FILE *file = fopen(path, "rb");
    size_t size;

    if (!file) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    size = fread(data, 1, sizeof(data), file);
    fclose(file);
    run(data, size);
    for (size_t n = 0; size < PREFIXES_BELOW && n < size; n++)
        run(data, n);
    run_mutations(data, size);
}

int main(int argc, char **argv)
{
    struct dirent *entry;
    int files = 0;
    DIR *dir;

    if (argc != 2 || !(dir = opendir(argv[1]))) {
        fputs("usage: replay CORPUS_FOLDER\n", stderr);
        return EXIT_FAILURE;
    }
    while ((entry = readdir(dir))) {
        char path[4096];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
        run_file(path);
        files++;
    }
    closedir(dir);
    printf("%s - %d files of %s replayed\n", files ? "ok 1" : "not ok 1", files, argv[1]);
    puts("1..1");
    return files ? EXIT_SUCCESS : EXIT_FAILURE;
}
