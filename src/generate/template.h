// SPDX-License-Identifier: Apache-2.0
// Texts of this folder's files, which the build embeds, with words put in.
#ifndef GENERATE_TEMPLATE_H
#define GENERATE_TEMPLATE_H

#include "base/buf.h"

extern const char template_service[]; // tramline.service
extern const char template_alerts[];  // tramline.alerts
extern const char template_grafana[]; // tramline.grafana

struct template_word {
    const char *name;  // stands in the text as @NAME@
    const char *value; // borrowed for the call
};

// Appends `text`. An '@' that begins none of the words is itself.
void template_fill(const char *text, const struct template_word *words, size_t n_words,
                   struct buf *ret);

#endif
