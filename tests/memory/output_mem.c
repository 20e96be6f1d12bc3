// SPDX-License-Identifier: Apache-2.0
#include "memory/output_mem.h"

#include <assert.h>

static enum status append(struct file_output *output, struct str bytes, struct err *err)
{
    struct memory_output *to = (struct memory_output *)output;
    buf_str(&to->file, bytes);
    output->bytes += (int64_t)bytes.n;
    return buf_check(&to->file, "memory", err);
}

static enum status overwrite(struct file_output *output, struct str front,
                             UNUSED struct err *err)
{
    struct memory_output *to = (struct memory_output *)output;
    assert(front.n <= to->file.n && front.n % FRONT_BYTES == 0);
    memcpy(to->file.p, front.p, front.n);
    return ST_OK;
}

static const struct file_output_ops ops = {
    .append = append,
    .overwrite = overwrite,
};

void memory_output_begin(struct memory_output *to)
{
    to->output = (struct file_output){.ops = &ops};
    buf_clear(&to->file);
}

void memory_output_release(struct memory_output *to)
{
    buf_release(&to->file);
}
