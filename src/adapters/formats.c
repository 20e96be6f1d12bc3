// SPDX-License-Identifier: Apache-2.0
#include "core/format.h"

// A line each: NAME_format stands in src/NAME.
#define FORMATS \
    FORMAT(csv) \
    FORMAT(avro)

#define FORMAT(name) extern const struct format name##_format;
FORMATS
#undef FORMAT

#define FORMAT(name) &name##_format,
const struct format *const formats[] = {FORMATS};
const size_t n_formats = ARRAY_LEN(formats);

const struct format *format_find(struct str name)
{
    for (size_t i = 0; i < n_formats; i++)
        if (str_is(name, formats[i]->options.name))
            return formats[i];
    return NULL;
}
