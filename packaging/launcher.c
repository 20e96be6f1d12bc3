// SPDX-License-Identifier: Apache-2.0
// The bundle's bin/tramline: runs lib/tramline by the loader and the libraries beside it,
// whatever the machine has. Linked statically, since it needs nothing of the machine.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OWN_ARGUMENTS = 6
};

// Where the bundle is: the parent of the folder of this program. False: nobody knows.
static int find_bundle(const char *argv0, char *ret, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", ret, size - 1);
    if (n < 0 && strchr(argv0, '/') == NULL)
        return 0; // no /proc, and found by $PATH
    if (n < 0)
        n = snprintf(ret, size, "%s", argv0);
    if ((size_t)n >= size)
        return 0;
    ret[n] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(ret, '/');
        if (slash == NULL)
            strcpy(ret, up == 0 ? "./." : "..");
        else
            *slash = '\0';
    }
    return 1;
}

int main(int argc, char **argv)
{
    char bundle[4096], loader[4200], libraries[4200], program[4200];
    if (!find_bundle(argv[0], bundle, sizeof(bundle))) {
        fprintf(stderr, "tramline: where the bundle is cannot be told without /proc; start "
                        "it by its path\n");
        return 1;
    }
    snprintf(loader, sizeof(loader), "%s/lib/ld.so", bundle);
    snprintf(libraries, sizeof(libraries), "%s/lib", bundle);
    snprintf(program, sizeof(program), "%s/lib/tramline", bundle);
    char **words = calloc((size_t)argc + OWN_ARGUMENTS, sizeof(*words));
    if (words == NULL)
        return 1;
    size_t n = 0;
    words[n++] = loader;
    words[n++] = "--library-path";
    words[n++] = libraries;
    words[n++] = program;
    for (int i = 1; i < argc; i++)
        words[n++] = argv[i];
    execv(loader, words);
    perror(loader);
    return 1;
}
