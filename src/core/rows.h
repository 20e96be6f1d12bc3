// SPDX-License-Identifier: Apache-2.0
// Port: the rows of a table or of a query, batch by batch. One thread at a time.
#ifndef CORE_ROWS_H
#define CORE_ROWS_H

#include "core/batch.h"

struct rows;

struct rows_ops {
    // Clears the batch and fills it with some rows; none at the end. Values are borrowed
    // until the next call.
    enum status (*next)(struct rows *rows, struct batch *batch, struct err *err);
    void (*close)(struct rows *rows);
};

struct rows {
    const struct rows_ops *ops;
    const struct schema *schema; // borrowed for the life of rows
};

#endif
