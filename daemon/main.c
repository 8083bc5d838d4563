#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "version") == 0) {
        puts("gatherd " GD_VERSION);
        return 0;
    }
    fputs("usage: gatherd version\n", stderr);
    return 64;
}
