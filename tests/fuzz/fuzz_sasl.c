// SPDX-License-Identifier: Apache-2.0
// Any bytes as what a broker says in a login: the first byte names what they are. Each is
// taken or refused with a text, and nothing that is no signature of the password passes.
#include <assert.h>

#include "fuzz_parts.h"

#include "wire/login.h"
#include "wire/scram.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 1 << 20 | 16 * WIRE_SCRAM_ITERATIONS_MAX, // 16 for each iteration
    .steps_a_byte = 2000,
    .bytes = UINT64_C(2) << 30, // OpenSSL's, for each iteration
    .bytes_a_byte = 200,
    .held = 1 << 20,
    .held_a_byte = 200,
};

// A challenge that is right but for what stands in the input.
static void put_challenge(struct buf *message, const struct wire_scram *scram,
                          struct str rest)
{
    buf_printf(message, "r=%s", scram->nonce);
    buf_str(message, rest);
}

static enum status read_scram(struct str bytes, bool is_near, struct err *err)
{
    AUTO(buf_release) struct buf first = {0}, message = {0}, out = {0};
    struct wire_scram scram;
    wire_scram_init(&scram, bytes.n % 2 == 0, "nonce");
    wire_scram_first(&scram, STR_LITERAL("user"), &first);
    if (is_near)
        put_challenge(&message, &scram, bytes);
    else
        buf_str(&message, bytes);
    enum status rc =
        wire_scram_final(&scram, STR_LITERAL("pencil"), buf_as_str(&message), &out, err);
    assert(rc != ST_OK || (out.n > 0 && !out.full));
    wire_scram_release(&scram);
    return rc;
}

static enum status check_scram(struct str bytes, struct err *err)
{
    struct wire_scram scram;
    wire_scram_init(&scram, true, "nonce");
    memset(scram.server_signature, 0xa5, sizeof(scram.server_signature));
    enum status rc = wire_scram_check(&scram, bytes, err);
    wire_scram_release(&scram);
    return rc;
}

void fuzz_input(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size}, answer;
    unsigned what = fuzz_byte(&rest) % 6U;
    struct str bytes = fuzz_copy(rest);
    struct err err = {0};
    int64_t lifetime_ms;
    enum status rc = ST_OK;
    switch (what) {
    case 0:
    case 1:
        rc = read_scram(bytes, what == 1, &err);
        break;
    case 2:
        rc = check_scram(bytes, &err);
        break;
    case 3:
        rc = wire_handshake_read(bytes, "PLAIN", &err);
        break;
    default:
        rc = wire_authenticate_read(bytes, what == 4, &answer, &lifetime_ms, &err);
        assert(rc != ST_OK || lifetime_ms >= 0);
    }
    assert(rc == ST_OK || err.text[0] != '\0');
    free((char *)(uintptr_t)bytes.p);
}
