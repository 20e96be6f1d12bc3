// SPDX-License-Identifier: Apache-2.0
// Says what it is that codegen still lacks.
#include "avro/codegen.h"

enum status avro_codegen(UNUSED const char *avsc_json, UNUSED const char *name_prefix,
                         UNUSED const char *header_name, UNUSED struct buf *header,
                         UNUSED struct buf *source, struct err *err)
{
    return err_set(err, ST_USAGE, "this version cannot make C types yet");
}
