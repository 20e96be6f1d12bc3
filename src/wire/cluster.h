// SPDX-License-Identifier: Apache-2.0
// The brokers of a cluster, each with its connection, and who leads the partitions of one
// topic, as Metadata tells it again and again (KIP-320: never by an older epoch, unless
// the leader by the newer one does not serve).
//
// Metadata is asked of any broker that is connected, else of the others in turn, those
// that the script names among them; one that says nothing for a second is not waited for
// before the next is tried. Threads: one owner; nothing waits.
//
// Errors: ST_RETRY when no broker can be reached (once, until one answers); ST_NOT_FOUND
// when the topic is gone, ST_DATA when it is another one than before; ST_FAIL when it may
// not be read, or a broker refuses us (connection.h) before one has answered.
#ifndef WIRE_CLUSTER_H
#define WIRE_CLUSTER_H

#include "wire/connection.h"
#include "wire/metadata.h"

struct wire_broker {
    int32_t id; // -1: one that the script names
    struct wire_connection connection;
    // The fetcher's.
    struct wire_asked *asked; // what the last fetch asks for
    size_t n_asked, asked_capacity;
    size_t n_answers;       // that wait to be read
    int64_t quiet_until_ms; // throttled
    int64_t starved_ms;     // since then its answers have nothing for that; 0: they have
    bool is_quota_told;
    bool is_loss_told;
};

struct wire_leader {
    int32_t broker;  // -1: none
    int32_t epoch;   // -1: unknown
    bool is_doubted; // the next Metadata is believed, whatever its epoch
};

struct wire_cluster {
    struct wire_client client;
    char *addresses; // as the script has them
    char *topic;
    struct wire_broker **brokers; // each stays at its address
    size_t n, capacity;
    struct wire_leader *leaders;           // by partition
    size_t n_leaders;                      // 0: not known yet
    uint8_t topic_id[WIRE_TOPIC_ID_BYTES]; // the first that was told; zeros: none
    char topic_id_text[TOPIC_ID_TEXT];     // the same; empty: none
    int64_t refresh_ms;                    // between two looks for new partitions
    int64_t ask_at_ms, answered_ms;
    struct wire_broker *asked; // NULL: nobody
    size_t turn;               // of who is asked
    size_t n_tried;            // since the last answer
    bool is_told;              // that nobody can be reached
    bool is_recreated;         // the topic, under its name
    int n_missing;             // answers without the topic, one after another
};

// addresses: "host:port,[::1]:9092,PLAINTEXT://host". The client's members are set, but
// the id is borrowed.
void wire_cluster_init(struct wire_cluster *cluster, const struct wire_client *client,
                       const char *addresses, const char *topic);
void wire_cluster_release(struct wire_cluster *cluster);

// ST_FAIL: a broker refuses us, and none has let us in before.
enum status wire_cluster_check_refusal(const struct wire_cluster *cluster,
                                       struct err *err);
// Asks for Metadata when that is due.
enum status wire_cluster_work(struct wire_cluster *cluster, int64_t now_ms,
                              struct err *err);
// Metadata is wanted soon: something has changed.
void wire_cluster_doubt(struct wire_cluster *cluster, int64_t now_ms);
// This partition has been refused for long: its epoch may be one that never was, above
// which no leader would come.
void wire_cluster_doubt_leader(struct wire_cluster *cluster, int32_t partition);
enum status wire_cluster_take_metadata(struct wire_cluster *cluster, struct str body,
                                       int16_t version, int64_t now_ms, struct err *err);

// It may be another topic, with other epochs, that the next Metadata tells of.
void wire_cluster_forget_topic(struct wire_cluster *cluster);

// For so long it answers nothing, whatever it is asked (KIP-219).
int64_t wire_broker_quiet_ms(const struct wire_broker *broker, int64_t now_ms);
struct wire_broker *wire_cluster_find(const struct wire_cluster *cluster, int32_t id);
// Any that is connected and can be called; NULL: none.
struct wire_broker *wire_cluster_any(const struct wire_cluster *cluster);
// The same; if there is none, a connection to the next in turn is begun.
struct wire_broker *wire_cluster_reach(struct wire_cluster *cluster, int64_t now_ms);
// ST_RETRY: "brokers ... cannot be reached: ...".
enum status wire_cluster_unreachable(const struct wire_cluster *cluster, struct err *err);
// It can be one.
bool wire_cluster_is_broker(int32_t id, struct str host, int32_t port);
// Adds it, or gives it another address.
struct wire_broker *wire_cluster_put(struct wire_cluster *cluster, int32_t id,
                                     struct str host, int32_t port);

#endif
