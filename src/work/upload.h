// SPDX-License-Identifier: Apache-2.0
// Brings the files of a unit from the spool into the writer's folder in tmp. A file
// counts only after its own good answer, with size and checksum at the storage equal to
// ours, as the storage tells them or also as read back (SET upload.verify); each try has
// a new name.
#ifndef WORK_UPLOAD_H
#define WORK_UPLOAD_H

#include "commit/patience.h"
#include "log/job.h"
#include "work/draft.h"

// Into the folder of the unit's writer, or for good where the storage cannot rename; the
// unit has the names then, and the spool lets go of the files.
enum status upload_draft(struct patience *patience, const struct job *job,
                         struct draft *draft, struct err *err);

#endif
