// SPDX-License-Identifier: Apache-2.0
// The connectors that a script can name: one const table each, in the folder of what it
// connects to; src/adapters lists them. Nobody else compares their names: what a
// connector can do is whether it has the part for it.
#ifndef CORE_CONNECTOR_H
#define CORE_CONNECTOR_H

#include "core/format.h"
#include "core/produced.h"

// An option that goes to the connector's client as it is, without the prefix.
struct client_option {
    struct str name, value;
    bool from_outside; // some of the value came from --set-file or the environment
};

// What a stream is opened with. All is borrowed, the deadline for the stream's life.
struct stream_request {
    struct format_table table;
    const struct format *format;
    const struct options *options; // of the connector
    const struct client_option *client_options;
    size_t n_client_options;
    const struct deadline *deadline;
    const char *group;     // of consumers: joined, or only told of the progress
    const char *instance;  // the member's own name, for people; NULL: it has none
    const char *member;    // what a group knows it by again after a crash; NULL: nothing
    int32_t members;       // so many are waited for before one begins; 0: for nobody
    bool is_alone;         // reads all partitions, as a member of nothing
    bool no_ends;          // nobody asks where partitions end (stream.h, ahead)
    int64_t buffer_bytes;  // most memory for records that were fetched and not read
    int64_t batch_records; // most that are wanted at once
};

struct asker; // base/asker.h

struct connector_stream {
    enum status (*open_topic)(const struct stream_request *request, struct topic **ret,
                              struct err *err);
    // Of that topic, which `asker` may ask: both borrowed, to be closed after the asker.
    // Says in the log what the topic lacks.
    enum status (*open)(const struct stream_request *request, struct topic *topic,
                        struct asker *asker, struct stream **ret, struct err *err);
    // The same for one who only looks and joins nothing; NULL where the topic is all.
    enum status (*look)(const struct stream_request *request, struct topic *topic,
                        struct stream **ret, struct err *err);
    // What the options lack together, without any contact.
    enum status (*check)(const struct stream_request *request, struct err *err);
};

// Options of the connector's client, which pass by the names of its own.
struct connector_client {
    const char *prefix; // "kafka."
    // What the program sets itself: what to write instead; NULL: it is free.
    const char *(*is_taken)(struct str name);
    bool (*is_secret)(struct str name);
    enum status (*check)(struct str name, struct str value, struct err *err);
};

struct producer;

// Of the records that were queued.
struct delivery {
    int64_t acknowledged;
    int64_t unsent; // dropped from the queue: there was no time to send them
};

// Queues records and sends them, in the order given for each key.
struct producer_ops {
    // Copies all of it. ST_RETRY: the queue is full, and the deadline is over.
    enum status (*produce)(struct producer *producer, const struct produced *record,
                           struct err *err);
    // Waits until all are acknowledged. Ends so long before the deadline, which may be
    // NULL, that there is time to close. `ret` is set whatever the status.
    enum status (*flush)(struct producer *producer, const struct deadline *deadline,
                         struct delivery *ret, struct err *err);
    void (*close)(struct producer *producer); // drops what was not flushed
};

struct producer {
    const struct producer_ops *ops;
};

struct topic_shape {
    int32_t partitions;
    int32_t replication; // copies of partition 0
};

// A stream's topic, where such a thing can be made and written to.
struct connector_admin {
    // ST_NOT_FOUND: there is no such topic.
    enum status (*describe)(const struct stream_request *request, struct topic_shape *ret,
                            struct err *err);
    // Makes it by the options unless it is there; tells how it is then.
    enum status (*make)(const struct stream_request *request, struct topic_shape *ret,
                        bool *ret_made, struct err *err);
    // How many read the topic as members of the request's group, and their names for a
    // person. ST_NOT_FOUND: there is no such group.
    enum status (*members)(const struct stream_request *request, size_t *ret,
                           struct buf *names, struct err *err);
    enum status (*open_producer)(const struct stream_request *request,
                                 struct producer **ret, struct err *err);
};

struct connector {
    struct option_group options; // first member; its name is the connector's
    const char *place;           // the option that says where: "path", "topic"
    bool (*takes)(const struct format *format);
    // NULL: its tables are read whole, or written; then its options are those of a
    // storage: "path", "optional", "on_error", "directory".
    const struct connector_stream *stream;
    const struct connector_admin *admin;   // NULL: there is nothing to make or to write
    const struct connector_client *client; // NULL: it has no options of a client
};

// src/adapters/connectors.c
extern const struct connector *const connectors[];
extern const size_t n_connectors;
const struct connector *connector_find(struct str name); // NULL: none of this name
// That of tables, materialized views and the result.
const struct connector *connector_of_files(void);
// The first with a topic that can be made and written to.
const struct connector *connector_of_topics(void);
// "csv|avro": the formats that it takes.
void connector_formats(const struct connector *connector, struct buf *ret);
// What an option of it takes one of, as in option_def; NULL: it is not a choice.
const char *option_choices(const struct option_group *group, const struct option_def *def,
                           struct arena *arena);

// The groups in the order of the reference: SET, connectors, formats.
size_t n_option_groups(void);
const struct option_group *option_group_at(size_t i);

// The connector whose options these are; NULL: of none, as behind an error of the script.
static inline const struct connector *connector_of(const struct options *options)
{
    return (const struct connector *)options->group;
}

#endif
