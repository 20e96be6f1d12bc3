// SPDX-License-Identifier: Apache-2.0
// A script made ready for a command: its plan, its names, and how to open what it names.
//
// Any thread may read it; storages are opened one a thread.
#ifndef JOB_PIPELINE_H
#define JOB_PIPELINE_H

#include "core/storage.h"
#include "gtfs/feed.h"
#include "registry/registry.h"
#include "sql/plan.h"
#include "storage/storage_url.h"

struct pipeline {
    struct plan *plan;
    struct arena arena;
    const char *script; // its path
    const char *job_name;
    const char *group;
    const char *instance; // of a run: the worker's own name; NULL: none was given
    const char *tokens;   // for HDFS, a line of them; NULL: none was given
    const char *member;   // of a run: what its group knows it by after a crash, or NULL
    int32_t members;      // of a run: so many begin together; 0: it does not matter
    const struct deadline *deadline; // of what is opened by it; NULL: none
    bool is_look;                    // the stream is looked at: no member of its group
    bool is_alone;            // the stream is read, but not as a member of its group
    bool gives_relations;     // tables are loaded for an engine elsewhere (relations.h)
    bool is_hurried;          // a storage that does not answer is asked for a second only
    _Atomic int64_t *told_ms; // when it was last said that a storage does not answer
};

struct pipeline_script {
    const char *path; // "-": standard input
    const struct variable *variables;
    size_t n_variables;
    size_t width;   // of what is said of its errors; 0: no limit
    bool for_spark; // see plan.h
    void (*on_error)(const struct script_error *error); // plan.h; NULL: stderr has them
};

// Reads and plans the script; what is wrong with it is printed on stderr as it is.
enum status pipeline_open(const struct pipeline_script *from, struct pipeline *ret,
                          struct err *err);
void pipeline_release(struct pipeline *pipeline);
// The name in the next ${NAME} of a script's text, which is cut; p == NULL: there is
// none.
struct str pipeline_next_variable(struct str *rest);
// ST_USAGE when the script has no INSERT.
enum status pipeline_need_insert(const struct pipeline *pipeline, struct err *err);

// What the storage of a table, view or sink is opened with; borrows from the pipeline.
struct storage_config pipeline_storage_config(const struct pipeline *pipeline,
                                              const struct options *options);
// That storage, by its connector's options.
enum status pipeline_storage(const struct pipeline *pipeline,
                             const struct options *options, struct storage **ret,
                             struct err *err);
// Where _feed.json stands: the directory above the first table's; NULL without a table.
enum status pipeline_feed_root(const struct pipeline *pipeline, struct storage **ret,
                               struct err *err);

// Opens a feed, downloads it first if that is a URL. `progress` may be NULL.
enum status pipeline_feed(const struct pipeline *pipeline, const char *location,
                          struct feed_progress *progress, struct feed **ret,
                          struct err *err);

// What the stream is opened with; borrows from the pipeline.
struct stream_request pipeline_stream(const struct pipeline *pipeline);
// Whether several workers can share the stream's partitions.
bool pipeline_is_shared(const struct pipeline *pipeline);
// Of a format with schemas.
void pipeline_registry_config(const struct pipeline *pipeline,
                              const struct options *format, struct registry_config *ret);
enum status pipeline_registry(const struct pipeline *pipeline,
                              const struct options *format, struct registry **ret,
                              struct err *err);

// The local directory for locks and files on their way; made when missing.
enum status pipeline_spool_path(struct pipeline *pipeline, const char **ret,
                                struct err *err);
// Whether it could be made, if it is not there.
enum status pipeline_spool_check(struct pipeline *pipeline, const char **ret,
                                 struct err *err);

#endif
