// SPDX-License-Identifier: Apache-2.0
// struct buf against a plain model: random orders of appending, clearing and changes of
// the limit. BUF_SEED=7 runs one sequence. Run it with the address sanitizer: a wrong
// capacity shows there.
#include "test.h"

#include <stdlib.h>

#include "base/buf.h"

enum {
    SEQUENCES = 2000,
    STEPS = 200,
    MODEL_MAX = 8192,
    PIECE_MAX = 300
};

struct model {
    char bytes[MODEL_MAX];
    size_t n, limit;
    bool full;
};

struct twins {
    uint64_t random;
    struct model model;
    struct buf buf;
};

static size_t pick(struct twins *pair, size_t n)
{
    uint64_t x = pair->random; // xorshift64
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    pair->random = x;
    return (size_t)((x >> 11) % n);
}

static bool model_append(struct model *model, const char *p, size_t n)
{
    size_t limit = model->limit ? model->limit : BUF_LIMIT_DEFAULT;
    if (n > 0 && (model->full || model->n + n > limit)) {
        model->full = true;
        return false;
    }
    memcpy(model->bytes + model->n, p, n);
    model->n += n;
    return true;
}

static void fill(struct twins *pair, char *piece, size_t n)
{
    for (size_t i = 0; i < n; i++)
        piece[i] = (char)('a' + pick(pair, 26));
    piece[n] = '\0';
}

static void append(struct twins *pair, char *piece, size_t n)
{
    fill(pair, piece, n);
    buf_append(&pair->buf, piece, n);
    model_append(&pair->model, piece, n);
}

static void append_room(struct twins *pair, char *piece, size_t n)
{
    fill(pair, piece, n);
    char *room = buf_room(&pair->buf, n);
    assert_int_equal(room != NULL, model_append(&pair->model, piece, n));
    if (room == NULL)
        return;
    memcpy(room, piece, n); // all of the room is ours
    pair->buf.n += n;
}

static void append_printf(struct twins *pair, char *piece, size_t n)
{
    fill(pair, piece, n);
    buf_printf(&pair->buf, "%s", piece);
    model_append(&pair->model, piece, n);
}

static void append_number(struct twins *pair, char *piece)
{
    int64_t number = (int64_t)pick(pair, 1000000) - 500000;
    int n = snprintf(piece, PIECE_MAX, "%lld", (long long)number);
    buf_i64(&pair->buf, number);
    model_append(&pair->model, piece, (size_t)n);
}

// Limits around what the buffer holds, and far from it, on both ways of setting them.
static void change_limit(struct twins *pair)
{
    struct model *model = &pair->model;
    const size_t limits[] = {
        0,
        1,
        1 + pick(pair, 64),
        1 + pick(pair, MODEL_MAX),
        model->n,
        model->n + 1,
        model->n - (model->n > 0),
        SIZE_MAX,
        SIZE_MAX / 2 + 2,
    };
    model->limit = limits[pick(pair, ARRAY_LEN(limits))];
    if (pick(pair, 4) == 0) {
        pair->buf.limit = model->limit;
        return;
    }
    buf_set_limit(&pair->buf, model->limit);
    size_t most = model->limit ? model->limit : BUF_LIMIT_DEFAULT;
    if (most < model->n)
        most = model->n;
    assert_true(pair->buf.capacity <= most);
}

static void remove_front(struct twins *pair)
{
    struct model *model = &pair->model;
    size_t n = pick(pair, model->n + 1);
    buf_remove_front(&pair->buf, n);
    memmove(model->bytes, model->bytes + n, model->n - n);
    model->n -= n;
}

static void empty(struct twins *pair)
{
    struct model *model = &pair->model;
    switch (pick(pair, 3)) {
    case 0:
        buf_clear(&pair->buf);
        break;
    case 1:
        buf_release(&pair->buf);
        break;
    default: {
        char *text = buf_detach(&pair->buf);
        assert_memory_equal(text, model->bytes, model->n);
        assert_int_equal(text[model->n], '\0');
        free(text);
    }
    }
    model->n = 0;
    model->full = false;
}

static void check(struct twins *pair, uint64_t seed)
{
    const struct model *model = &pair->model;
    const struct buf *buf = &pair->buf;
    struct err err;
    bool same = buf->n == model->n && buf->full == model->full &&
                buf->capacity >= buf->n &&
                memcmp(buf->p ? buf->p : "", model->bytes, model->n) == 0;
    if (!same)
        fail_msg("BUF_SEED=%llu: %zu bytes, full %d, instead of %zu, %d",
                 (unsigned long long)seed, buf->n, buf->full, model->n, model->full);
    assert_int_equal(buf_check(buf, "buffer", &err), model->full ? ST_LIMIT : ST_OK);
    size_t limit = model->limit ? model->limit : BUF_LIMIT_DEFAULT;
    size_t left = model->full || limit < model->n ? 0 : limit - model->n;
    assert_int_equal(buf_left(buf), left);
}

static void step(struct twins *pair)
{
    char piece[PIECE_MAX + 1];
    size_t n = pick(pair, 4) ? pick(pair, 8) : pick(pair, PIECE_MAX);
    if (pair->model.n + n > MODEL_MAX - PIECE_MAX) {
        empty(pair);
        return;
    }
    switch (pick(pair, 12)) {
    case 0:
    case 1:
    case 2:
        append(pair, piece, n);
        break;
    case 3:
    case 4:
        append_room(pair, piece, n + 1);
        break;
    case 5:
        append_printf(pair, piece, n);
        break;
    case 6:
        append_number(pair, piece);
        break;
    case 7:
        assert_memory_equal(buf_cstr(&pair->buf), pair->model.bytes, pair->model.n);
        assert_int_equal(pair->buf.p[pair->buf.n], '\0');
        break;
    case 8:
        remove_front(pair);
        break;
    case 9:
        empty(pair);
        break;
    case 10:
        buf_trim(&pair->buf, n);
        break;
    default:
        change_limit(pair);
    }
}

static void run_sequence(uint64_t seed)
{
    struct twins *pair = mem_zalloc(sizeof(*pair));
    pair->random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    for (int i = 0; i < STEPS; i++) {
        step(pair);
        check(pair, seed);
    }
    buf_release(&pair->buf);
    free(pair);
}

static void test_any_order_of_changes_gives_what_a_plain_model_gives(UNUSED void **state)
{
    const char *seed = getenv("BUF_SEED");
    if (seed != NULL) {
        run_sequence(strtoull(seed, NULL, 10));
        return;
    }
    for (uint64_t i = 1; i <= SEQUENCES; i++)
        run_sequence(i);
}

static void test_a_lower_limit_takes_nothing_away(UNUSED void **state)
{
    struct buf buf = BUF_INIT(1 << 20);
    for (int i = 0; i < 4000; i++)
        buf_text(&buf, "0123456789");
    buf_set_limit(&buf, 100);
    buf_char(&buf, 'x');
    assert_true(buf.full);
    assert_int_equal(buf.n, 40000);
    assert_memory_equal(buf.p + 39990, "0123456789", 10);
    buf_release(&buf);
}

static void test_a_lower_limit_gives_memory_back(UNUSED void **state)
{
    struct buf buf = BUF_INIT(16 << 20);
    assert_non_null(buf_room(&buf, 10 << 20));
    buf_set_limit(&buf, 256 << 10);
    assert_true(buf.capacity <= 256 << 10);
    assert_null(buf_room(&buf, (256 << 10) + 1));
    buf_clear(&buf);
    assert_non_null(buf_room(&buf, 256 << 10));
    buf_release(&buf);
}

// Nothing was ever put in, or it is full to the brim: no byte gives way to the NUL.
static void test_a_full_buffer_is_a_whole_text(UNUSED void **state)
{
    struct buf none = BUF_INIT(4);
    buf_text(&none, "12345");
    assert_string_equal(buf_cstr(&none), "");
    buf_release(&none);
    struct buf brim = BUF_INIT(4);
    buf_text(&brim, "1234");
    assert_string_equal(buf_cstr(&brim), "1234");
    assert_false(brim.full);
    buf_release(&brim);
}

TEST_MAIN(cmocka_unit_test(test_any_order_of_changes_gives_what_a_plain_model_gives),
          cmocka_unit_test(test_a_lower_limit_takes_nothing_away),
          cmocka_unit_test(test_a_lower_limit_gives_memory_back),
          cmocka_unit_test(test_a_full_buffer_is_a_whole_text))
