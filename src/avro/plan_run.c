// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "avro/logical.h"
#include "avro/plan.h"

enum {
    FRAMES_MAX = 1000, // calls and loops within each other
    FRAMES_NEAR = 64   // of those, on the stack
};

struct frame {
    uint32_t pc;
    int64_t left; // items of a block
};

struct machine {
    struct wire wire;
    const struct avro_plan *plan;
    struct value *row;
    struct arena *arena;
    struct avro_fault *fault;
    size_t n_steps;       // made without reading a value
    const uint8_t *begin; // of the datum
    size_t n_frames;
    struct frame *far; // of a deep datum: behind the near ones, in the arena
    struct frame near[FRAMES_NEAR];
};

#define COLD __attribute__((cold, noinline))

COLD static void set_fault(struct machine *m, enum avro_cause cause, int64_t a, int64_t b)
{
    m->fault->cause = cause;
    m->fault->a = a;
    m->fault->b = b;
}

static inline bool fail(struct machine *m, enum avro_cause cause, int64_t a, int64_t b)
{
    set_fault(m, cause, a, b);
    return false;
}

// A varint that wire_long did not take.
static inline bool fail_long(struct machine *m)
{
    size_t left = wire_left(&m->wire);
    return fail(m, left >= WIRE_LONG_MAX ? CAUSE_NUMBER : CAUSE_CUT, 0, (int64_t)left);
}

static inline bool take_long(struct machine *m, int64_t *ret)
{
    return LIKELY(wire_long(&m->wire, ret)) || fail_long(m);
}

static inline bool take_int(struct machine *m, int64_t *ret)
{
    if (!take_long(m, ret))
        return false;
    return LIKELY(*ret >= INT32_MIN && *ret <= INT32_MAX) ||
           fail(m, CAUSE_RANGE, *ret, 0);
}

static inline bool take(struct machine *m, size_t n_bytes, const uint8_t **ret)
{
    if (UNLIKELY(wire_left(&m->wire) < n_bytes))
        return fail(m, CAUSE_CUT, (int64_t)n_bytes, (int64_t)wire_left(&m->wire));
    *ret = m->wire.p;
    m->wire.p += n_bytes;
    return true;
}

static inline bool take_bytes(struct machine *m, struct str *ret)
{
    int64_t n;
    const uint8_t *p;
    if (!take_long(m, &n))
        return false;
    if (UNLIKELY(n < 0))
        return fail(m, CAUSE_LENGTH, n, 0);
    if (!take(m, (size_t)n, &p))
        return false;
    *ret = (struct str){(const char *)p, (size_t)n};
    return true;
}

static inline bool do_text(struct machine *m, struct value *ret)
{
    struct str text;
    if (!take_bytes(m, &text))
        return false;
    size_t good = str_utf8_valid(text);
    if (UNLIKELY(good != text.n))
        return fail(m, CAUSE_UTF8, (int64_t)good, 0);
    *ret = value_text(text);
    return true;
}

static inline bool do_bytes(struct machine *m, struct value *ret)
{
    struct str bytes;
    if (!take_bytes(m, &bytes))
        return false;
    *ret = value_text(bytes);
    ret->kind = VALUE_BYTES;
    return true;
}

static inline bool do_fixed(struct machine *m, uint32_t size, struct value *ret)
{
    const uint8_t *p;
    if (!take(m, size, &p))
        return false;
    *ret = (struct value){.p = (const char *)p, .n = size, .kind = VALUE_BYTES};
    return true;
}

static bool do_boolean(struct machine *m, struct value *ret)
{
    const uint8_t *p;
    if (!take(m, 1, &p))
        return false;
    if (UNLIKELY(*p > 1))
        return fail(m, CAUSE_BOOLEAN, *p, 0);
    *ret = (struct value){.i = *p, .kind = VALUE_BOOL};
    return true;
}

static inline bool do_integer(struct machine *m, const struct avro_op *op,
                              struct value *ret)
{
    int64_t i;
    if (!(op->code == OP_INT ? take_int(m, &i) : take_long(m, &i)))
        return false;
    *ret = value_int(i);
    return true;
}

static inline bool put_real(struct machine *m, double r, struct value *ret)
{
    *ret = (struct value){.r = r, .kind = VALUE_REAL};
    return LIKELY(isfinite(r)) || fail(m, CAUSE_REAL, 0, 0);
}

static bool do_integer_real(struct machine *m, const struct avro_op *op,
                            struct value *ret)
{
    int64_t i;
    if (!(op->code == OP_INT_REAL ? take_int(m, &i) : take_long(m, &i)))
        return false;
    return put_real(m, op->arg ? (double)(float)i : (double)i, ret);
}

static bool do_real(struct machine *m, const struct avro_op *op, struct value *ret)
{
    const uint8_t *p;
    if (op->code == OP_FLOAT)
        return take(m, 4, &p) && put_real(m, (double)wire_float_of(p), ret);
    return take(m, 8, &p) && put_real(m, wire_double_of(p), ret);
}

static bool take_symbol(struct machine *m, const struct avro_op *op, struct str *ret)
{
    const struct avro_enum_map *map = &m->plan->enums[op->arg];
    int64_t index;
    if (!take_int(m, &index))
        return false;
    if (index < 0 || (size_t)index >= map->n)
        return fail(m, CAUSE_INDEX, index, (int64_t)map->n);
    *ret = map->values[index];
    return ret->p != NULL || fail(m, CAUSE_SYMBOL, index, (int64_t)op->arg);
}

// Texts that are the plan's are copied: rows may outlive it.
static bool do_enum(struct machine *m, const struct avro_op *op, struct value *ret)
{
    struct str symbol;
    if (!take_symbol(m, op, &symbol))
        return false;
    *ret = value_text(arena_str(m->arena, symbol));
    return true;
}

static bool do_skip_bytes(struct machine *m)
{
    struct str ignored;
    return take_bytes(m, &ignored);
}

static bool do_skip_long(struct machine *m)
{
    int64_t ignored;
    return take_long(m, &ignored);
}

static bool do_skip_fixed(struct machine *m, uint32_t n_bytes)
{
    const uint8_t *ignored;
    return take(m, n_bytes, &ignored);
}

static bool format_bytes(struct machine *m, const struct avro_form *form, char *text,
                         size_t *ret_n)
{
    struct str bytes;
    const uint8_t *p;
    if (form->kind == AVRO_FIXED) {
        if (!take(m, form->size, &p))
            return false;
        bytes = (struct str){(const char *)p, form->size};
    } else if (!take_bytes(m, &bytes)) {
        return false;
    }
    *ret_n = form->logical == LOGICAL_DURATION
                 ? logical_format_duration((const uint8_t *)bytes.p, text)
                 : logical_format_decimal(bytes, form->scale, text);
    return true;
}

static bool do_logical(struct machine *m, const struct avro_op *op, struct value *ret)
{
    const struct avro_form *form = &m->plan->forms[op->arg];
    char text[LOGICAL_TEXT_MAX];
    size_t n;
    if (form->kind == AVRO_INT || form->kind == AVRO_LONG) {
        int64_t i;
        if (!(form->kind == AVRO_INT ? take_int(m, &i) : take_long(m, &i)))
            return false;
        n = logical_format_number(form->logical, i, text);
    } else if (!format_bytes(m, form, text, &n)) {
        return false;
    }
    if (n == 0)
        return fail(m, CAUSE_LOGICAL, (int64_t)form->logical, 0);
    *ret = value_text(arena_str(m->arena, (struct str){text, n}));
    return true;
}

static void do_constant(struct machine *m, const struct avro_op *op)
{
    struct value v = m->plan->constants[op->arg];
    if (v.kind == VALUE_TEXT || v.kind == VALUE_BYTES)
        v.p = arena_str(m->arena, value_str(v)).p;
    m->row[op->column] = v;
}

// The branch of a writer's union of null and one type. *ret: the value follows.
static inline bool take_nullable(struct machine *m, const struct avro_op *op, bool *ret)
{
    int64_t branch;
    if (!take_long(m, &branch))
        return false;
    if (UNLIKELY((uint64_t)branch > 1))
        return fail(m, CAUSE_BRANCH, branch, 2);
    *ret = branch != (op->null_branch & 1);
    return LIKELY(*ret || !(op->null_branch & NULL_REFUSED)) ||
           fail(m, CAUSE_NULL, op->column, 0);
}

static bool take_branch(struct machine *m, const struct avro_op *op, uint32_t *ret_pc)
{
    const uint32_t *targets = &m->plan->targets[op->arg];
    int64_t branch;
    if (!take_long(m, &branch))
        return false;
    if (branch < 0 || branch >= (int64_t)targets[0])
        return fail(m, CAUSE_BRANCH, branch, (int64_t)targets[0]);
    *ret_pc = targets[1 + branch];
    return true;
}

static struct frame *frame_at(struct machine *m, size_t i)
{
    return i < FRAMES_NEAR ? &m->near[i] : &m->far[i - FRAMES_NEAR];
}

static bool push(struct machine *m, uint32_t pc, int64_t left)
{
    if (m->n_frames == FRAMES_MAX)
        return fail(m, CAUSE_DEEP, FRAMES_MAX, 0);
    if (m->n_frames == FRAMES_NEAR && m->far == NULL)
        m->far = arena_array(m->arena, FRAMES_MAX - FRAMES_NEAR, sizeof(*m->far));
    *frame_at(m, m->n_frames++) = (struct frame){pc, left};
    return true;
}

// The head of a block: how many items follow, and in how many bytes (-1: not told).
static bool take_count(struct machine *m, int64_t *ret_count, int64_t *ret_bytes)
{
    *ret_bytes = -1;
    if (!take_long(m, ret_count))
        return false;
    if (*ret_count >= 0)
        return true;
    if (*ret_count == INT64_MIN)
        return fail(m, CAUSE_LENGTH, *ret_count, 0);
    *ret_count = -*ret_count;
    if (!take_long(m, ret_bytes))
        return false;
    return *ret_bytes >= 0 || fail(m, CAUSE_LENGTH, *ret_bytes, 0);
}

// *pc is an OP_BLOCKS...: becomes its body's, its own again, or what follows the loop.
static bool do_blocks(struct machine *m, const struct avro_op *op, uint32_t *pc)
{
    int64_t count, bytes;
    if (!take_count(m, &count, &bytes))
        return false;
    if (count == 0) {
        *pc = op->arg;
        return true;
    }
    if (op->code == OP_BLOCKS_EMPTY)
        return true;
    if (op->code == OP_BLOCKS_LEAP && bytes >= 0) {
        const uint8_t *ignored;
        return take(m, (size_t)bytes, &ignored);
    }
    // Each item takes a byte at least.
    if ((uint64_t)count > wire_left(&m->wire))
        return fail(m, CAUSE_CUT, count, (int64_t)wire_left(&m->wire));
    return push(m, (*pc)++, count);
}

static void do_again(struct machine *m, uint32_t *pc)
{
    struct frame *top = frame_at(m, m->n_frames - 1);
    *pc = top->pc + 1;
    if (--top->left == 0) {
        *pc = top->pc;
        m->n_frames--;
    }
}

static bool do_value(struct machine *m, const struct avro_op *op)
{
    struct value *ret = &m->row[op->column];
    switch ((enum avro_code)op->code) {
    case OP_TEXT:
        return do_text(m, ret);
    case OP_INT:
    case OP_LONG:
        return do_integer(m, op, ret);
    case OP_SKIP_FIXED:
        return do_skip_fixed(m, op->arg);
    case OP_SKIP_LONG:
        return do_skip_long(m);
    case OP_SKIP_BYTES:
        return do_skip_bytes(m);
    case OP_BOOLEAN:
        return do_boolean(m, ret);
    case OP_INT_REAL:
    case OP_LONG_REAL:
        return do_integer_real(m, op, ret);
    case OP_FLOAT:
    case OP_DOUBLE:
        return do_real(m, op, ret);
    case OP_BYTES:
        return do_bytes(m, ret);
    case OP_FIXED:
        return do_fixed(m, op->arg, ret);
    case OP_ENUM:
        return do_enum(m, op, ret);
    case OP_LOGICAL:
        return do_logical(m, op, ret);
    default: {
        struct str ignored;
        return take_symbol(m, op, &ignored);
    }
    }
}

COLD static bool has_no_steps_left(const struct machine *m)
{
    size_t n_bytes = (size_t)(m->wire.end - m->begin);
    return m->n_steps > PLAN_STEPS_MIN + PLAN_STEPS_A_BYTE * n_bytes;
}

// Ops that only steer. False at a fault.
static bool do_flow(struct machine *m, const struct avro_op *op, uint32_t *pc)
{
    if (UNLIKELY(m->n_steps++ >= PLAN_STEPS_MIN) && has_no_steps_left(m))
        return fail(m, CAUSE_STEPS, PLAN_STEPS_A_BYTE, 0);
    switch ((enum avro_code)op->code) {
    case OP_CALL:
        if (!push(m, *pc + 1, 0))
            return false;
        *pc = op->arg;
        return true;
    case OP_RETURN:
        *pc = frame_at(m, --m->n_frames)->pc;
        return true;
    case OP_JUMP:
        *pc = op->arg;
        return true;
    case OP_UNION:
        return take_branch(m, op, pc);
    case OP_AGAIN:
        do_again(m, pc);
        return true;
    case OP_CONSTANT:
        do_constant(m, op);
        ++*pc;
        return true;
    case OP_REJECT:
        return fail(m, CAUSE_REASON, (int64_t)op->arg, 0);
    default:
        return do_blocks(m, op, pc);
    }
}

static bool run(struct machine *m, uint32_t pc)
{
    const struct avro_op *ops = m->plan->ops;
    for (;;) {
        const struct avro_op *op = &ops[pc];
        const uint8_t *at = m->wire.p;
        uint32_t here = pc;
        bool good;
        if (LIKELY(op->code >= OP_SKIP_FIXED)) {
            bool there = true;
            good = op->null_branch == NULL_NONE || take_nullable(m, op, &there);
            good = good && (!there || do_value(m, op));
            pc += good;
        } else if (op->code == OP_END) {
            return true;
        } else {
            good = do_flow(m, op, &pc);
        }
        if (UNLIKELY(!good)) {
            m->fault->pc = here;
            m->fault->outer_pc = m->n_frames > 0 ? frame_at(m, 0)->pc : here;
            m->fault->at = (size_t)(at - m->begin);
            return false;
        }
    }
}

bool avro_plan_run(const struct avro_plan *plan, uint32_t pc, struct wire *wire,
                   struct value *row, struct arena *arena, struct avro_fault *fault)
{
    struct machine m; // not zeroed: frames are many
    m.wire = *wire;
    m.plan = plan;
    m.row = row;
    m.arena = arena;
    m.fault = fault;
    m.n_steps = 0;
    m.begin = wire->p;
    m.n_frames = 0;
    m.far = NULL;
    bool good = run(&m, pc);
    wire->p = m.wire.p;
    return good;
}

static void format_cut(const struct avro_fault *fault, struct buf *buf)
{
    if (fault->a == 0)
        buf_text(buf, "cut off in a number");
    else
        buf_printf(buf, "cut off: %lld bytes wanted, %lld left", (long long)fault->a,
                   (long long)fault->b);
}

static void format_symbol(const struct avro_plan *plan, const struct avro_fault *fault,
                          struct buf *buf)
{
    const struct avro_enum_map *map = &plan->enums[fault->b];
    buf_printf(buf, "enum '%.*s' of the reader has neither symbol '%.*s' nor a default",
               STR_ARGS(map->reader_name), STR_ARGS(map->symbols[fault->a]));
}

static void format_cause(const struct avro_plan *plan, const struct avro_fault *fault,
                         struct buf *buf)
{
    long long a = fault->a;
    long long b = fault->b;
    switch (fault->cause) {
    case CAUSE_CUT:
        format_cut(fault, buf);
        break;
    case CAUSE_NUMBER:
        buf_text(buf, "a number of more than 64 bits");
        break;
    case CAUSE_RANGE:
        buf_printf(buf, "%lld is not an int of 32 bits", a);
        break;
    case CAUSE_LENGTH:
        buf_printf(buf, "%lld is not a length", a);
        break;
    case CAUSE_BOOLEAN:
        buf_printf(buf, "byte 0x%02llX is not a boolean", a);
        break;
    case CAUSE_UTF8:
        buf_printf(buf, "no UTF-8 text without a zero byte: wrong after %lld good bytes",
                   a);
        break;
    case CAUSE_REAL:
        buf_text(buf, "a REAL must be finite");
        break;
    case CAUSE_NULL:
        buf_text(buf, "null in a column that is NOT NULL");
        break;
    case CAUSE_BRANCH:
        buf_printf(buf, "branch %lld of a union of %lld", a, b);
        break;
    case CAUSE_INDEX:
        buf_printf(buf, "symbol %lld of an enum of %lld", a, b);
        break;
    case CAUSE_SYMBOL:
        format_symbol(plan, fault, buf);
        break;
    case CAUSE_REASON:
        buf_text(buf, plan->reasons[a]);
        break;
    case CAUSE_LOGICAL:
        buf_printf(buf, "the %s has no text", avro_logical_name((enum avro_logical)a));
        break;
    case CAUSE_STEPS:
        buf_printf(buf,
                   "more than %lld steps a byte: records that hold little else than "
                   "records",
                   a);
        break;
    case CAUSE_DEEP:
        buf_printf(buf, "more than %lld levels deep", a);
        break;
    }
}

void avro_fault_format(const struct avro_plan *plan, const struct avro_fault *fault,
                       struct buf *buf)
{
    const char *path = plan->paths[fault->pc];
    if (path[0] != '\0')
        buf_printf(buf, "field '%s': ", path);
    format_cause(plan, fault, buf);
    if (fault->cause != CAUSE_REASON)
        buf_printf(buf, " (byte %zu)", fault->at);
}
