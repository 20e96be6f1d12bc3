// SPDX-License-Identifier: Apache-2.0
#include "wire/scram.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>

#include "base/text.h"

enum {
    SALT_MAX = 1024
};

// RFC 5802, 3.
#define CLIENT_KEY "Client Key"
#define SERVER_KEY "Server Key"

struct hash {
    uint8_t bytes[WIRE_SCRAM_HASH_MAX];
};

static const EVP_MD *digest_of(const struct wire_scram *scram)
{
    return scram->is_512 ? EVP_sha512() : EVP_sha256();
}

static size_t size_of(const struct wire_scram *scram)
{
    return scram->is_512 ? 64 : 32;
}

void wire_scram_init(struct wire_scram *scram, bool is_512, const char *nonce)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t chance[WIRE_SCRAM_NONCE];
    *scram = (struct wire_scram){.is_512 = is_512, .first = BUF_INIT(64 << 10)};
    if (RAND_bytes(chance, sizeof(chance)) != 1)
        abort(); // no source of chance: nothing that depends on it is safe
    for (size_t i = 0; i < sizeof(chance); i++)
        scram->nonce[i] = letters[chance[i] % 64];
    if (nonce != NULL) {
        memset(scram->nonce, 0, sizeof(scram->nonce));
        memcpy(scram->nonce, nonce, strnlen(nonce, WIRE_SCRAM_NONCE));
    }
}

void wire_scram_release(struct wire_scram *scram)
{
    buf_release(&scram->first);
    OPENSSL_cleanse(scram, sizeof(*scram));
}

// saslname: "," and "=" are written as =2C and =3D.
static void put_name(struct buf *out, struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == ',')
            buf_text(out, "=2C");
        else if (name.p[i] == '=')
            buf_text(out, "=3D");
        else
            buf_char(out, name.p[i]);
    }
}

void wire_scram_first(struct wire_scram *scram, struct str user, struct buf *out)
{
    buf_clear(&scram->first);
    buf_text(&scram->first, "n=");
    put_name(&scram->first, user);
    buf_printf(&scram->first, ",r=%s", scram->nonce);
    buf_text(out, "n,,");
    buf_str(out, buf_as_str(&scram->first));
}

// ---- what the server says

struct challenge {
    struct str nonce, salt; // as texts
    int64_t iterations;
};

static enum status not_right(const char *what, struct err *err)
{
    return err_set(err, ST_FAIL, "SCRAM: %s in the broker's answer is not right", what);
}

// Takes "x=value" off the front. False: another attribute stands there.
static bool take(struct str *rest, char name, struct str *ret)
{
    struct str part = str_cut(rest, ',');
    if (part.n < 2 || part.p[0] != name || part.p[1] != '=')
        return false;
    *ret = (struct str){part.p + 2, part.n - 2};
    return true;
}

// The server's nonce begins with ours and adds to it (RFC 5802, 5.1).
static bool is_our_nonce(const struct wire_scram *scram, struct str nonce)
{
    for (size_t i = 0; i < nonce.n; i++)
        if (nonce.p[i] < '!' || nonce.p[i] > '~')
            return false;
    return nonce.n > strlen(scram->nonce) && str_starts_with(nonce, scram->nonce);
}

static enum status read_challenge(const struct wire_scram *scram, struct str message,
                                  struct challenge *ret, struct err *err)
{
    struct str rest = message, iterations;
    if (message.n == 0 || message.n > WIRE_SCRAM_MESSAGE_MAX)
        return not_right("the length", err);
    if (!take(&rest, 'r', &ret->nonce)) // also "m=": an extension that must be known
        return not_right("the nonce", err);
    if (!is_our_nonce(scram, ret->nonce))
        return err_set(
            err, ST_FAIL,
            "SCRAM: the broker's nonce does not go on from ours: it answers to "
            "somebody else");
    if (!take(&rest, 's', &ret->salt))
        return not_right("the salt", err);
    if (!take(&rest, 'i', &iterations) || !str_to_i64(iterations, &ret->iterations))
        return not_right("the number of iterations", err);
    if (ret->iterations < WIRE_SCRAM_ITERATIONS_MIN ||
        ret->iterations > WIRE_SCRAM_ITERATIONS_MAX)
        return err_set(
            err, ST_FAIL,
            "SCRAM: the broker wants %" PRId64 " iterations; from %d to %d are done",
            ret->iterations, WIRE_SCRAM_ITERATIONS_MIN, WIRE_SCRAM_ITERATIONS_MAX);
    return ST_OK;
}

// ---- what is computed of it (RFC 5802, 3)

static void hmac(const struct wire_scram *scram, const struct hash *key, struct str text,
                 struct hash *ret)
{
    unsigned n = 0;
    if (HMAC(digest_of(scram), key->bytes, (int)size_of(scram), (const uint8_t *)text.p,
             text.n, ret->bytes, &n) == NULL)
        abort(); // libcrypto fails here only when memory is out
}

static void digest(const struct wire_scram *scram, const struct hash *of,
                   struct hash *ret)
{
    if (EVP_Digest(of->bytes, size_of(scram), ret->bytes, NULL, digest_of(scram), NULL) !=
        1)
        abort();
}

static void salt_password(const struct wire_scram *scram, struct str password,
                          struct str salt, int64_t iterations, struct hash *ret)
{
    if (PKCS5_PBKDF2_HMAC(password.p, (int)password.n, (const uint8_t *)salt.p,
                          (int)salt.n, (int)iterations, digest_of(scram),
                          (int)size_of(scram), ret->bytes) != 1)
        abort();
}

static void put_proof(struct wire_scram *scram, const struct hash *salted,
                      struct str auth_message, struct buf *out)
{
    struct hash client_key, stored_key, signature, server_key, server_signature;
    hmac(scram, salted, STR_LITERAL(CLIENT_KEY), &client_key);
    digest(scram, &client_key, &stored_key);
    hmac(scram, &stored_key, auth_message, &signature);
    for (size_t i = 0; i < size_of(scram); i++)
        signature.bytes[i] ^= client_key.bytes[i];
    hmac(scram, salted, STR_LITERAL(SERVER_KEY), &server_key);
    hmac(scram, &server_key, auth_message, &server_signature);
    memcpy(scram->server_signature, server_signature.bytes, size_of(scram));
    text_base64(out, (struct str){(const char *)signature.bytes, size_of(scram)});
    OPENSSL_cleanse(&client_key, sizeof(client_key));
    OPENSSL_cleanse(&server_key, sizeof(server_key));
}

enum status wire_scram_final(struct wire_scram *scram, struct str password,
                             struct str from_server, struct buf *out, struct err *err)
{
    AUTO(buf_release) struct buf salt = BUF_INIT(SALT_MAX), auth = {0}, bare = {0};
    struct challenge challenge;
    struct hash salted;
    TRY(read_challenge(scram, from_server, &challenge, err));
    if (!text_base64_decode(&salt, challenge.salt) || salt.n == 0 || salt.full)
        return not_right("the salt", err);
    buf_text(&bare, "c=biws,r="); // "n,,": no channel binding
    buf_str(&bare, challenge.nonce);
    buf_str(&auth, buf_as_str(&scram->first));
    buf_char(&auth, ',');
    buf_str(&auth, from_server);
    buf_char(&auth, ',');
    buf_str(&auth, buf_as_str(&bare));
    salt_password(scram, password, buf_as_str(&salt), challenge.iterations, &salted);
    buf_str(out, buf_as_str(&bare));
    buf_text(out, ",p=");
    put_proof(scram, &salted, buf_as_str(&auth), out);
    OPENSSL_cleanse(&salted, sizeof(salted));
    return ST_OK;
}

enum status wire_scram_check(const struct wire_scram *scram, struct str from_server,
                             struct err *err)
{
    AUTO(buf_release) struct buf signature = BUF_INIT(WIRE_SCRAM_MESSAGE_MAX);
    struct str rest = from_server, text;
    if (take(&rest, 'e', &text)) {
        char visible[256];
        size_t n = text_visible(text, visible, sizeof(visible));
        return err_set(err, ST_FAIL, "SCRAM: the broker says %.*s", (int)n, visible);
    }
    rest = from_server;
    if (!take(&rest, 'v', &text) || !text_base64_decode(&signature, text))
        return not_right("the signature", err);
    if (signature.n != size_of(scram) ||
        CRYPTO_memcmp(signature.p, scram->server_signature, signature.n) != 0)
        return err_set(err, ST_FAIL,
                       "SCRAM: the broker's signature is wrong: it does not know the "
                       "password, and is not the broker that it says it is");
    return ST_OK;
}
