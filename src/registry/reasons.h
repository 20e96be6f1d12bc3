// SPDX-License-Identifier: Apache-2.0
// Why a schema cannot follow another, for a registry that only says that it cannot.
#ifndef REGISTRY_REASONS_H
#define REGISTRY_REASONS_H

#include "base/buf.h"
#include "core/schema_lookup.h"

// Appends what resolution finds either way, new records read as the old schema and old
// ones as the new; nothing when both go.
void reasons_find(const struct schema_texts *old_texts, struct str new_text,
                  struct buf *ret);

#endif
