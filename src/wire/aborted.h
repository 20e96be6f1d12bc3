// SPDX-License-Identifier: Apache-2.0
// The aborted transactions of a fetched partition, to read committed records only
// (KIP-98, "Fetch"; AbortedTransaction of FetchResponse.json).
//
// The broker names, for each aborted transaction that touches what it sent, the producer
// and the first offset; not every broker sorts them. A producer has one transaction at a
// time: from its first offset on the producer's transactional batches are aborted, until
// its marker ABORT. A look takes the logarithm of the list's length. Threads: one owner.
#ifndef WIRE_ABORTED_H
#define WIRE_ABORTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_transaction {
    int64_t producer;
    int64_t first_offset;
    size_t n_ended; // of a producer's first: how many of its own are over
};

struct wire_aborted {
    struct wire_transaction *items;
    size_t n, capacity;
};

void wire_aborted_clear(struct wire_aborted *aborted); // keeps the memory
void wire_aborted_release(struct wire_aborted *aborted);
void wire_aborted_add(struct wire_aborted *aborted, int64_t producer,
                      int64_t first_offset);
// All are added: from here on it may be asked.
void wire_aborted_sort(struct wire_aborted *aborted);

// Batches and markers are asked about in the order of their offsets.
bool wire_aborted_has(const struct wire_aborted *aborted, int64_t producer,
                      int64_t last_offset);
// The producer's marker ABORT stands at that offset: what it had begun by then is over. A
// broker may tell a transaction twice (of a log that lies in two places, KIP-405).
void wire_aborted_end(struct wire_aborted *aborted, int64_t producer, int64_t offset);

#endif
