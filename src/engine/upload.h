// SPDX-License-Identifier: Apache-2.0
// Brings the files of a unit from the spool into the writer's folder in tmp. A file
// counts only after its own good answer, with size and checksum at the storage equal to
// ours, as the storage tells them or also as read back (SET upload.verify); each try has
// a new name. Steps as in commit_log.h.
#ifndef ENGINE_UPLOAD_H
#define ENGINE_UPLOAD_H

#include "core/env.h"
#include "core/storage.h"
#include "engine/paths.h"
#include "engine/unit.h"

struct upload {
    size_t n_done;
    bool written; // the file that is next; to be checked
    struct path tmp[UNIT_FILES_MAX];
};

enum status upload_step(struct upload *upload, struct storage *storage, struct env *env,
                        enum upload_verify by, const struct unit *unit,
                        const char *writer, bool *ret_done, struct err *err);

#endif
