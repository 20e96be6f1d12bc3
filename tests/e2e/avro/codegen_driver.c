/* SPDX-License-Identifier: Apache-2.0
 * Runs generated code: compiled with HEADER, and ROOT being the root record's name. Lines
 * of hex on stdin; for each a line: what decoding came to, then text and encoding again.
 * With "fuzz" as argument: decodes every piece and many changed copies, and prints
 * nothing. The locale is the environment's; "point" prints 1.5 as printf does in it. */
#include HEADER

#include <locale.h>
#include <stdio.h>

#define JOIN2(a, b) a##b
#define JOIN(a, b)  JOIN2(a, b)
#define TYPE        struct ROOT
#define CALL(verb)  JOIN(ROOT, verb)

enum {
    LINE_MAX_BYTES = 1 << 20
};

static size_t unhex(const char *hex, uint8_t *ret)
{
    size_t n = 0;
    unsigned value;
    for (; sscanf(hex, "%2x", &value) == 1; hex += 2)
        ret[n++] = (uint8_t)value;
    return n;
}

static void round_trip(const uint8_t *p, size_t n)
{
    TYPE x;
    struct avro_buffer out;
    enum avro_result rc = CALL(_decode)(p, n, &x, NULL);
    size_t i;
    memset(&out, 0, sizeof(out));
    printf("%s", avro_result_text(rc));
    if (rc == AVRO_OK) {
        CALL(_text)(&x, &out);
        printf("\t%s\t", out.p);
        out.n = 0;
        CALL(_encode)(&x, &out);
        for (i = 0; i < out.n; i++)
            printf("%02x", (unsigned)(uint8_t)out.p[i]);
    }
    printf("\n");
    CALL(_release)(&x);
    avro_buffer_release(&out);
}

/* A copy of exactly n bytes, so that a read past it is seen. */
static void decode_only(const uint8_t *p, size_t n)
{
    TYPE x;
    size_t used;
    uint8_t *copy = (uint8_t *)malloc(n ? n : 1);
    memcpy(copy, p, n);
    CALL(_decode)(copy, n, &x, &used);
    CALL(_release)(&x);
    free(copy);
}

static void fuzz(uint8_t *p, size_t n)
{
    static uint32_t seed = 1;
    size_t i;
    for (i = 0; i <= n; i++)
        decode_only(p, i);
    for (i = 0; n != 0 && i < 2000; i++) {
        uint8_t *at;
        uint8_t before;
        seed = seed * 1664525 + 1013904223;
        at = p + (seed >> 8) % n;
        before = *at;
        *at = (uint8_t)(seed >> 24);
        decode_only(p, n);
        if (i % 4 != 0)
            *at = before;
    }
}

int main(int argc, char **argv)
{
    static char line[LINE_MAX_BYTES];
    static uint8_t bytes[LINE_MAX_BYTES];
    TYPE x;
    setlocale(LC_ALL, "");
    if (argc > 1 && strcmp(argv[1], "point") == 0)
        return printf("%.1f\n", 1.5) < 0;
    if (CALL(_init)(&x) != AVRO_OK)
        return 1;
    if (argc > 1 && strcmp(argv[1], "defaults") == 0) {
        struct avro_buffer out;
        memset(&out, 0, sizeof(out));
        CALL(_text)(&x, &out);
        printf("%s\n", out.p);
        avro_buffer_release(&out);
    }
    CALL(_release)(&x);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        size_t n = unhex(line, bytes);
        if (argc > 1 && strcmp(argv[1], "fuzz") == 0)
            fuzz(bytes, n);
        else
            round_trip(bytes, n);
    }
    return 0;
}
