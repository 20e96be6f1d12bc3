// SPDX-License-Identifier: Apache-2.0
// What other programs need to know of a job, as text for their configuration.
#ifndef GENERATE_GENERATE_H
#define GENERATE_GENERATE_H

#include "base/buf.h"
#include "core/format.h"

struct generate_service {
    const char *program;     // absolute path
    const char *script;      // absolute path, or with %i
    const char *directory;   // in which it runs; NULL: nothing depends on that
    bool is_template;        // %i stands for the instance's name
    const char *variables;   // file with NAME=value lines for ${NAME} in the script
    const struct str *needs; // names that the script wants values for
    size_t n_needs;
    const char *name;          // of the job, for people
    const char *const *writes; // local directories that the job writes to
    size_t n_writes;
};

// A unit for systemd.
void generate_service(const struct generate_service *service, struct buf *ret);

struct generate_view {
    struct format_table table; // of the result
    struct str directory;      // a path or a URL
    bool is_local;
    bool by_day; // files are in directories of days
};

// A view over the result's files for DuckDB.
void generate_duckdb(const struct generate_view *view, struct buf *ret);

struct generate_monitoring {
    const char *name;   // of the job: Prometheus' label "job"
    const char *listen; // host:port of its status server
    int64_t commit_ms;  // the longest time from a record's arrival to its commit
};

// Alert rules for Prometheus, and how it scrapes the job.
void generate_alerts(const struct generate_monitoring *job, struct buf *ret);
// A board for Grafana, as JSON.
void generate_grafana(const struct generate_monitoring *job, struct buf *ret);

#endif
