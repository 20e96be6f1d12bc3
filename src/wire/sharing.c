// SPDX-License-Identifier: Apache-2.0
#include "wire/sharing.h"

#include <stdlib.h>

enum {
    NAME_BYTES = 2,      // least bytes of a topic's name
    TOPIC_BYTES = 6,     // and of its partitions
    COUNT_BYTES = 4,     // of the user data
    TOPICS_MAX = 1000,   // of a group
    WISHES_MAX = 1000000 // members times topics
};

// ---- what a member wants

void wire_subscription_put(struct buf *out, struct str topic)
{
    wire_out_i16(out, 0);
    wire_out_array(out, false, 1);
    wire_out_string(out, false, topic);
    wire_out_bytes(out, false, (struct str){0});
}

// Behind what is known here a newer version has more.
static enum status check_known(const struct wire_in *in, const char *what,
                               struct err *err)
{
    struct wire_in known = *in;
    known.end = known.p;
    return wire_in_check(&known, what, err);
}

static enum status read_subscription(struct str bytes, struct arena *arena,
                                     struct wire_subscription *ret, struct err *err)
{
    struct wire_in in = wire_in_of(bytes);
    if (wire_in_i16(&in) < 0)
        wire_in_fail(&in, "a version below 0");
    ret->n = wire_in_array(&in, false, NAME_BYTES);
    ret->topics = arena_array(arena, ret->n, sizeof(*ret->topics));
    for (size_t i = 0; i < ret->n; i++)
        ret->topics[i] = wire_in_string(&in, false);
    wire_in_bytes(&in, false);
    return check_known(&in, "a member's subscription", err);
}

// ---- who wants what

static int compare_members(const void *a, const void *b)
{
    const struct wire_joined_member *x = a, *y = b;
    if (x->instance.p != NULL && y->instance.p != NULL)
        return str_compare(x->instance, y->instance);
    if (x->instance.p != NULL || y->instance.p != NULL)
        return x->instance.p != NULL ? -1 : 1;
    return str_compare(x->id, y->id);
}

static int compare_topics(const void *a, const void *b)
{
    const struct wire_shared_topic *x = a, *y = b;
    return str_compare(x->name, y->name);
}

static void drop_twins(struct wire_sharing *sharing)
{
    size_t n = 0;
    if (sharing->n_topics > 1)
        qsort(sharing->topics, sharing->n_topics, sizeof(*sharing->topics),
              compare_topics);
    for (size_t i = 0; i < sharing->n_topics; i++)
        if (n == 0 || !str_eq(sharing->topics[i].name, sharing->topics[n - 1].name))
            sharing->topics[n++] = sharing->topics[i];
    sharing->n_topics = n;
}

static void collect_topics(struct wire_sharing *sharing, struct arena *arena)
{
    size_t n = 0;
    for (size_t i = 0; i < sharing->n_members; i++)
        n += sharing->wanted[i].n;
    sharing->topics = arena_array(arena, n, sizeof(*sharing->topics));
    for (size_t i = 0; i < sharing->n_members; i++)
        for (size_t t = 0; t < sharing->wanted[i].n; t++)
            sharing->topics[sharing->n_topics++].name = sharing->wanted[i].topics[t];
    drop_twins(sharing);
}

enum status wire_sharing_begin(const struct wire_joined *joined, struct arena *arena,
                               struct wire_sharing *ret, struct err *err)
{
    *ret = (struct wire_sharing){.members = joined->members, .n_members = joined->n};
    if (joined->n > 1)
        qsort(joined->members, joined->n, sizeof(*joined->members), compare_members);
    ret->wanted = arena_array(arena, joined->n, sizeof(*ret->wanted));
    for (size_t i = 0; i < joined->n; i++)
        TRY(read_subscription(joined->members[i].subscription, arena, &ret->wanted[i],
                              err));
    collect_topics(ret, arena);
    size_t most = WISHES_MAX / (joined->n > 0 ? joined->n : 1);
    most = most < TOPICS_MAX ? most : TOPICS_MAX;
    if (ret->n_topics > most)
        return err_set(err, ST_LIMIT,
                       "its members want %zu topics; at most %zu are shared",
                       ret->n_topics, most);
    return ST_OK;
}

// ---- who gets what

static bool wants(const struct wire_subscription *wanted, struct str topic)
{
    for (size_t i = 0; i < wanted->n; i++)
        if (str_eq(wanted->topics[i], topic))
            return true;
    return false;
}

struct share {
    int32_t first, n;
};

// shares: of all members of a topic, side by side.
static void share_topic(const struct wire_sharing *sharing, size_t topic,
                        struct share *shares)
{
    int32_t n_wanting = 0, next = 0, at = 0;
    int32_t n_partitions = sharing->topics[topic].n_partitions;
    for (size_t i = 0; i < sharing->n_members; i++)
        n_wanting += wants(&sharing->wanted[i], sharing->topics[topic].name);
    for (size_t i = 0; i < sharing->n_members; i++) {
        bool is_wanting = wants(&sharing->wanted[i], sharing->topics[topic].name);
        shares[i] = (struct share){next, 0};
        if (!is_wanting)
            continue;
        shares[i].n = n_partitions / n_wanting + (at++ < n_partitions % n_wanting);
        next += shares[i].n;
    }
}

static void put_share(struct buf *out, struct str topic, struct share share)
{
    wire_out_string(out, false, topic);
    wire_out_array(out, false, (size_t)share.n);
    for (int32_t i = 0; i < share.n; i++)
        wire_out_i32(out, share.first + i);
}

static void put_assignment(struct buf *out, const struct wire_sharing *sharing,
                           const struct share *shares, size_t member, int32_t n_known)
{
    size_t n = 0;
    for (size_t t = 0; t < sharing->n_topics; t++)
        n += shares[t * sharing->n_members + member].n > 0;
    wire_out_i16(out, 0);
    wire_out_array(out, false, n);
    for (size_t t = 0; t < sharing->n_topics; t++) {
        struct share share = shares[t * sharing->n_members + member];
        if (share.n > 0)
            put_share(out, sharing->topics[t].name, share);
    }
    wire_out_i32(out, COUNT_BYTES);
    wire_out_i32(out, n_known);
}

const struct wire_given *wire_share(const struct wire_sharing *sharing, int32_t n_known,
                                    struct arena *arena)
{
    size_t n = sharing->n_members;
    struct wire_given *given = arena_array(arena, n, sizeof(*given));
    struct share *shares = mem_array(n * sharing->n_topics, sizeof(*shares));
    for (size_t t = 0; t < sharing->n_topics; t++)
        share_topic(sharing, t, shares + t * n);
    struct buf out = {0};
    for (size_t i = 0; i < n; i++) {
        buf_clear(&out);
        put_assignment(&out, sharing, shares, i, n_known);
        given[i] = (struct wire_given){sharing->members[i].id,
                                       arena_str(arena, buf_as_str(&out))};
    }
    buf_release(&out);
    free(shares);
    return given;
}

// ---- what is ours

static int compare_numbers(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void read_partitions(struct wire_in *in, struct arena *arena,
                            struct wire_assignment *ret)
{
    size_t n = wire_in_array(in, false, sizeof(int32_t));
    ret->partitions = arena_array(arena, n, sizeof(*ret->partitions));
    ret->n = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t partition = wire_in_i32(in);
        if (partition < 0)
            wire_in_fail(in, "a partition below 0");
        ret->partitions[ret->n++] = partition;
    }
    if (ret->n > 1)
        qsort(ret->partitions, ret->n, sizeof(*ret->partitions), compare_numbers);
    n = 0;
    for (size_t i = 0; i < ret->n; i++)
        if (n == 0 || ret->partitions[i] != ret->partitions[n - 1])
            ret->partitions[n++] = ret->partitions[i];
    ret->n = n;
}

static int32_t read_count(struct wire_in *in)
{
    struct str data = wire_in_bytes(in, false);
    struct wire_in count = wire_in_of(data);
    return data.n == COUNT_BYTES ? wire_in_i32(&count) : -1;
}

enum status wire_assignment_read(struct str bytes, struct str topic, struct arena *arena,
                                 struct wire_assignment *ret, struct err *err)
{
    struct wire_in in = wire_in_of(bytes);
    *ret = (struct wire_assignment){.n_known = -1};
    if (bytes.n == 0)
        return ST_OK;
    if (wire_in_i16(&in) < 0)
        wire_in_fail(&in, "a version below 0");
    for (size_t n = wire_in_array(&in, false, TOPIC_BYTES); n > 0; n--) {
        struct wire_assignment other;
        bool is_it = str_eq(wire_in_string(&in, false), topic);
        read_partitions(&in, arena, is_it ? ret : &other);
    }
    ret->n_known = read_count(&in);
    return check_known(&in, "what the group's leader gives", err);
}
