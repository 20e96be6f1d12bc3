// SPDX-License-Identifier: Apache-2.0
// hash_tool N: prints N texts of 24 letters, one a line, that have one and the same
// hash64 without a secret. By its inverse: with 16 bytes chosen, the next 8 are what
// makes a factor 0, where they are letters that a text of CSV may have.
#include <stdio.h>
#include <stdlib.h>

#include "../hostile_keys.h"

int main(int argc, char **argv)
{
    struct hostile_keys keys = {0};
    char key[HOSTILE_KEY_BYTES];
    for (long n = argc > 1 ? atol(argv[1]) : 0; n > 0; n--) {
        hostile_key(&keys, key);
        printf("%.*s\n", HOSTILE_KEY_BYTES, key);
    }
    return 0;
}
