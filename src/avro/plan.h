// SPDX-License-Identifier: Apache-2.0
// Schema resolution as a flat program: from datums of one writer's schema to rows.
//
// avro_plan_open compares writer and reader once (Avro 1.11, "Schema Resolution") and
// compiles ops that read the writer's bytes in order and store the columns' values; all
// else is read past; what takes no bytes is not an op. What no datum can resolve is an
// error then; what depends on the datum is an op that fails when it is met. Running never
// passes the end of the datum and never recurses. Read-only once made: any thread may run
// it.
#ifndef AVRO_PLAN_H
#define AVRO_PLAN_H

#include "avro/reader.h"
#include "avro/wire.h"

enum avro_code {
    OP_END,
    OP_RETURN,
    OP_CALL,         // arg: pc
    OP_JUMP,         // arg: pc
    OP_REJECT,       // arg: of reasons
    OP_CONSTANT,     // arg: of constants
    OP_UNION,        // arg: of targets: count, then a pc for each branch
    OP_BLOCKS,       // array or map: body follows; arg: pc after it
    OP_BLOCKS_LEAP,  // the same; blocks that tell their size are passed at once
    OP_BLOCKS_EMPTY, // items take no bytes
    OP_AGAIN,        // ends a body
    // From here on: one value, and null_branch may be set.
    OP_SKIP_FIXED, // arg: bytes
    OP_SKIP_LONG,  // any varint
    OP_SKIP_BYTES, // length and bytes
    OP_CHECK_ENUM, // arg: of enums
    OP_BOOLEAN,
    OP_INT,  // 32 bits
    OP_LONG, // 64 bits
    OP_INT_REAL,
    OP_LONG_REAL,
    OP_FLOAT,
    OP_DOUBLE,
    OP_TEXT,    // UTF-8
    OP_BYTES,   // any bytes
    OP_FIXED,   // arg: bytes
    OP_ENUM,    // arg: of enums
    OP_LOGICAL, // arg: of forms
};

// null_branch: which branch of a writer's union of two is null.
enum {
    NULL_FIRST = 0,
    NULL_SECOND = 1,
    NULL_REFUSED = 2, // added to one of those: the column is NOT NULL
    NULL_NONE = 0xFF, // there is no union
};

struct avro_op {
    uint8_t code;
    uint8_t null_branch;
    uint16_t column;
    uint32_t arg; // OP_INT_REAL, OP_LONG_REAL: not 0: rounded to float
};

// What becomes of each symbol of a writer's enum.
struct avro_enum_map {
    struct str writer_name, reader_name;
    const struct str *symbols; // the writer's
    const struct str *values;  // p == NULL: the reader has no such symbol
    size_t n;
};

// How a logical type's datum is read and shown.
struct avro_form {
    enum avro_kind kind; // on the wire: AVRO_INT, AVRO_LONG, AVRO_BYTES, AVRO_FIXED
    enum avro_logical logical;
    uint32_t scale;
    uint32_t size; // AVRO_FIXED
};

struct avro_plan {
    struct arena arena;
    struct avro_op *ops;
    const char **paths; // of each op: its field
    size_t n_ops;
    struct value *constants;
    const char **reasons;
    uint32_t *targets;
    struct avro_enum_map *enums;
    struct avro_form *forms;
    size_t n_constants, n_reasons, n_targets, n_enums, n_forms;
    uint32_t skip_pc; // reads past a whole datum
    size_t n_bytes;   // of memory, about
};

// `writer` and `reader` need not outlive the plan. ST_DATA: nothing written with that
// schema can be read; names the field and both types.
enum status avro_plan_open(const struct avro_schema *writer,
                           const struct avro_reader *reader, struct avro_plan **ret,
                           struct err *err);
void avro_plan_free(struct avro_plan *plan);

enum avro_cause {
    CAUSE_CUT,     // a: bytes wanted (0: not known), b: bytes left
    CAUSE_NUMBER,  // a varint of more than 64 bits
    CAUSE_RANGE,   // a: value outside 32 bits
    CAUSE_LENGTH,  // a: negative length or count
    CAUSE_BOOLEAN, // a: the byte
    CAUSE_UTF8,    // a: good bytes at the front
    CAUSE_REAL,    // not finite
    CAUSE_NULL,    // in a column that is NOT NULL
    CAUSE_BRANCH,  // a: index, b: count
    CAUSE_INDEX,   // of an enum; a: index, b: count
    CAUSE_SYMBOL,  // a: index
    CAUSE_REASON,  // a: of reasons
    CAUSE_LOGICAL,
    CAUSE_STEPS, // a: of a byte
    CAUSE_DEEP,
};

// A datum of n bytes takes at most PLAN_STEPS_MIN + n * PLAN_STEPS_A_BYTE steps beside
// its values. Steps without a byte are calls of records within records and the like.
enum {
    PLAN_STEPS_MIN = 10000,
    PLAN_STEPS_A_BYTE = 100
};

// Where and why a datum could not be read.
struct avro_fault {
    enum avro_cause cause;
    uint32_t pc;
    uint32_t outer_pc; // outside all calls and loops
    int64_t a, b;
    size_t at; // byte of the datum where the value begins
};

// Reads one datum into a row of NULLs; `wire` is left behind it. Values borrow its bytes,
// or are in `arena`. False: `fault` is set; the row holds what was read before.
bool avro_plan_run(const struct avro_plan *plan, uint32_t pc, struct wire *wire,
                   struct value *row, struct arena *arena, struct avro_fault *fault);

// Appends "field 'a.b': cut off: 5 bytes wanted, 2 left (byte 17)".
void avro_fault_format(const struct avro_plan *plan, const struct avro_fault *fault,
                       struct buf *buf);

#endif
