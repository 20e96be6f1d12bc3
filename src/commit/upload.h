// SPDX-License-Identifier: Apache-2.0
// Brings the files of a unit from the spool into the writer's folder in tmp. A file
// counts only after its own good answer, with size and checksum at the storage equal to
// ours, as the storage tells them or also as read back (SET upload.verify); each try has
// a new name.
#ifndef COMMIT_UPLOAD_H
#define COMMIT_UPLOAD_H

#include "commit/patience.h"
#include "commit/unit.h"
#include "log/job.h"

// May be called again: then all of it lies there under new names.
enum status upload_unit(struct patience *patience, enum upload_verify by,
                        struct unit *unit, const char *writer, struct err *err);

#endif
