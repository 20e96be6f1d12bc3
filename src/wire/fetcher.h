// SPDX-License-Identifier: Apache-2.0
// What is asked of the brokers for the partitions that are read, and what they answer.
//
// One Fetch at a time is under way to each broker, for all of its partitions of which
// nothing else is in the way; the next goes out as soon as the answer is there, since the
// batches' headers say where it begins. An answer keeps the memory it came in until all
// of it is read (reader.h); at most two of a broker wait, so a slow reader stops the
// requests. Every other request begins with another partition: a broker sends the first
// batch whole, however large it is (KIP-74), and a partition whose batch came cut asks
// for more bytes.
//
// A broker whose Fetch tells no truncation (before 12) is asked for it by
// OffsetForLeaderEpoch when the leader's epoch is another one than that of what was read.
//
// Where broker and topic have ids (Fetch 13), the topic is asked for by its id: a broker
// that has another one under the name does not answer with that.
//
// A partition that is started elsewhere, held back or ended has a new token: what is
// under way for the old one is dropped when it comes.
//
// What a header says where no checksum is: that its batch lies before the partition's
// end, which may move while a broker answers, and is not of an epoch that is still to
// come. An epoch that is not the one before is believed once two batches say it, or the
// broker says it again.
//
// Errors: ST_DATA (bytes that are not right, a log that was cut back behind what was
// read, KIP-320), ST_LIMIT (a batch larger than source.buffer), ST_FAIL. Threads: one
// owner.
#ifndef WIRE_FETCHER_H
#define WIRE_FETCHER_H

#include "core/stream.h"
#include "wire/cluster.h"
#include "wire/fetch.h"

enum wire_mode {
    WIRE_READING,
    WIRE_HELD,   // by hold_back
    WIRE_GAP,    // the offset is not there: where the partition begins is asked
    WIRE_TOLD,   // of a gap: not read until it is started again
    WIRE_BROKEN, // what came last is not right, which the reader will find
};

struct wire_partition {
    int32_t number;
    enum wire_mode mode;
    uint32_t token;
    int64_t position;     // where the owner's next run begins
    int32_t read_epoch;   // of the batch before it; -1: unknown
    int64_t fetch_offset; // behind the last whole batch that has come
    int32_t last_epoch;   // of that batch; -1: unknown: a truncation is not told
    int32_t seen_epoch;   // of the leader that has what was read, as it said
    int32_t end_epoch;    // of the leader that is asked for its end; -1: none is
    int64_t last_stable;  // as of the last answer; -1: unknown
    int64_t told_ms;      // when that was
    int64_t fed_ms;       // when something came last, or reading began
    int32_t max_bytes;    // of a fetch
    int n_stuck;          // answers in a row that brought no whole batch
    int n_unsure;         // answers in a row whose first batch is not believed
    int64_t told_offset;  // the last batch that told another epoch than that before it
    int32_t told_epoch;   // and which
    int n_refused;        // errors in a row
    int16_t code;         // the last of them
    int64_t again_at_ms;
    bool is_trouble_due, is_low_known;
    int64_t low;
    bool is_cut;    // behind what was read, it seems
    int64_t cut_ms; // the Metadata that was known then
};

// The batches of a partition in an answer.
struct wire_slice {
    size_t partition; // index
    uint32_t token;
    struct str rest;    // not read yet
    int64_t least;      // the next batch's first offset, or a later one
    int32_t most_epoch; // of a batch: the leader's; -1: it is not known
    struct wire_aborted aborted;
};

struct wire_answered {
    struct wire_broker *broker;
    bool is_by_id; // of the topic
    struct buf body;
    struct wire_slice *slices;
    size_t n, next;
    struct wire_answered *after;
};

struct wire_fetcher {
    struct wire_cluster *cluster;      // borrowed
    struct wire_partition *partitions; // by number
    size_t n;
    uint32_t token;                     // the last that was given
    size_t turn;                        // the partition that the next request begins with
    struct wire_answered *first, *last; // to be read in this order
    struct buf spare;                   // memory of an answer that was read
    int64_t buffer_bytes;               // most memory of answers
};

void wire_fetcher_init(struct wire_fetcher *fetcher, struct wire_cluster *cluster,
                       int64_t buffer_bytes);
void wire_fetcher_release(struct wire_fetcher *fetcher);

void wire_fetcher_start(struct wire_fetcher *fetcher, const struct stream_start *starts,
                        size_t n, int64_t now_ms);
void wire_fetcher_stop(struct wire_fetcher *fetcher);
// A batch of that answer cannot be of so late an epoch.
bool wire_slice_is_too_new(const struct wire_slice *slice, int32_t epoch);
// NULL: it is not read.
struct wire_partition *wire_fetcher_find(const struct wire_fetcher *fetcher,
                                         int32_t number);
const struct wire_leader *wire_fetcher_leader(const struct wire_fetcher *fetcher,
                                              const struct wire_partition *partition);
// Reads the partition on from that offset, or not at all for now. epoch: of the batch
// before it.
void wire_fetcher_move(struct wire_fetcher *fetcher, struct wire_partition *partition,
                       int64_t offset, int32_t epoch, enum wire_mode mode);

// Memory that may be taken for another answer.
int64_t wire_fetcher_room(struct wire_fetcher *fetcher);
// Sends what is due, after it has looked which connections are gone.
void wire_fetcher_work(struct wire_fetcher *fetcher, int64_t now_ms);
// The answer to a Fetch, which lies in that memory; takes it over and leaves none, or
// leaves it as it is.
enum status wire_fetcher_take(struct wire_fetcher *fetcher, struct wire_broker *broker,
                              const struct wire_call *call, struct str body,
                              struct buf *memory, int64_t now_ms, struct err *err);
// That broker's answer to ListOffsets, for the partition of the call's tag; of one that
// leads it no more it is worth nothing.
enum status wire_fetcher_take_low(struct wire_fetcher *fetcher,
                                  const struct wire_broker *broker,
                                  const struct wire_call *call, struct str body,
                                  int64_t now_ms, struct err *err);
// The same to OffsetForLeaderEpoch.
enum status wire_fetcher_take_end(struct wire_fetcher *fetcher,
                                  const struct wire_broker *broker,
                                  const struct wire_call *call, struct str body,
                                  int64_t now_ms, struct err *err);
// The first answer is read: its memory is free.
void wire_fetcher_pop(struct wire_fetcher *fetcher);
// Where the partition ends, as of a moment ago; -1: it is not known, since nothing is
// asked while much waits to be read, or nothing is answered.
int64_t wire_fetcher_end(const struct wire_fetcher *fetcher, int32_t number,
                         int64_t now_ms);
// Something is to be done at a time that no descriptor tells.
bool wire_fetcher_is_pausing(const struct wire_fetcher *fetcher, int64_t now_ms);

#endif
