// SPDX-License-Identifier: Apache-2.0
// Opens the stream of a script: topic, stream and decoder.
#ifndef JOB_STREAM_H
#define JOB_STREAM_H

#include "base/asker.h"
#include "core/codec.h"
#include "core/stream.h"
#include "core/topic.h"
#include "job/pipeline.h"

struct stream_parts {
    struct topic *topic;
    struct asker *asker; // of the topic, on its thread
    struct stream *stream;
    struct decoder *decoder;
    struct schema_lookup *lookup; // NULL: the format has no schemas
};

// The decoder of a stream's table over a lookup that it borrows, for records that come
// from elsewhere than its stream.
enum status stream_decoder_open(const struct table *table, struct schema_lookup *lookup,
                                struct decoder **ret, struct err *err);
// What can be wrong with the stream, without any contact: no registry, a schema's file
// that the columns do not fit, SASL without a mechanism.
enum status stream_check(const struct table *table, struct err *err);
enum status stream_open(struct pipeline *pipeline, struct stream_parts *ret,
                        struct err *err);
// Of that stream's topic and by its asker, both borrowed: stream and decoder of one of
// `n` that read side by side, each on a thread of its own. It joins no group, has its
// share of source.buffer, and knows the schemas that the others know. Closed before `of`.
enum status stream_open_beside(struct pipeline *pipeline, const struct stream_parts *of,
                               size_t n, struct stream_parts *ret, struct err *err);
// All but the reading: topic and decoder of records that come from elsewhere. Joins no
// group.
enum status stream_open_aside(struct pipeline *pipeline, struct stream_parts *ret,
                              struct err *err);
// To tell the group how far others have read; reads nothing itself, and decodes nothing.
// Gives no stream where there is no group to be told.
enum status stream_open_teller(struct pipeline *pipeline, struct stream_parts *ret,
                               struct err *err);
// The decoder alone, of records that were read before: no broker is asked, and a topic is
// opened only where it is a file, whose header may say what its fields are.
enum status stream_open_decoder(struct pipeline *pipeline, struct stream_parts *ret,
                                struct err *err);
// The topic alone, for a look beside a running job; of a file its header is looked at,
// too. The caller closes it.
enum status stream_topic_open(struct pipeline *pipeline, struct topic **ret,
                              struct err *err);
// What its decoder passed over is told with the other's.
void stream_add_tails(struct stream_parts *stream, struct stream_parts *from);
void stream_close(struct stream_parts *stream);

#endif
