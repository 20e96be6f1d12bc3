// SPDX-License-Identifier: Apache-2.0
// Brings the files of a unit from the spool into the writer's folder in tmp. A file
// counts only after its own good answer, with size and checksum at the storage equal to
// ours, as the storage tells them or also as read back (SET upload.verify); each try has
// a new name.
#ifndef WORK_UPLOAD_H
#define WORK_UPLOAD_H

#include "commit/patience.h"
#include "log/job.h"
#include "log/paths.h"
#include "work/draft.h"

// A name in the folder of the unit's writer, or for good where the storage cannot rename.
struct path upload_name(struct env *env, bool renames, const struct job *job,
                        const struct unit *unit, size_t file);
// One of its files, to *path or, when that failed, to another name, which *path is then.
// The spool lets go of it.
enum status upload_file(struct patience *patience, const struct job *job,
                        struct draft *draft, size_t file, struct path *path,
                        struct err *err);
// All of them, one after the other; the unit has the names then.
enum status upload_draft(struct patience *patience, const struct job *job,
                         struct draft *draft, struct err *err);

#endif
