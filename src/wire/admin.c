// SPDX-License-Identifier: Apache-2.0
#include "wire/admin.h"

#include "base/text.h"

enum {
    RESULT_BYTES = 2 + 2 + 2,
    GROUP_BYTES = 2 + 2 + 2 + 2 + 2 + 4,
    MEMBER_BYTES = 2 + 2 + 2 + 4 + 4,
    WITH_THROTTLE = 1,
    WITH_OPERATIONS = 3,
    WITH_INSTANCE = 4,
};

void wire_create_ask(struct buf *out, struct str topic, int32_t partitions,
                     int32_t replication, int32_t timeout_ms)
{
    wire_out_array(out, false, 1);
    wire_out_string(out, false, topic);
    wire_out_i32(out, partitions);
    wire_out_i16(out, (int16_t)replication);
    wire_out_array(out, false, 0); // the brokers choose where
    wire_out_array(out, false, 0); // and how
    wire_out_i32(out, timeout_ms);
    wire_out_i8(out, 0); // not only to look whether it could be
}

enum status wire_create_read(struct str body, int16_t *ret_code, struct str *ret_text,
                             struct err *err)
{
    struct wire_in in = wire_in_of(body);
    *ret_code = WIRE_OK;
    *ret_text = (struct str){0};
    wire_in_i32(&in); // throttle
    for (size_t n = wire_in_array(&in, false, RESULT_BYTES); n > 0; n--) {
        wire_in_string(&in, false);
        *ret_code = wire_in_i16(&in);
        *ret_text = wire_in_string(&in, false);
    }
    return wire_in_check(&in, "CreateTopics", err);
}

void wire_group_ask(struct buf *out, int16_t version, struct str group)
{
    wire_out_array(out, false, 1);
    wire_out_string(out, false, group);
    if (version >= WITH_OPERATIONS)
        wire_out_i8(out, 0); // what may be done with it is not asked
}

static void read_member(struct wire_in *in, int16_t version, struct buf *names)
{
    wire_in_string(in, false); // its id
    if (version >= WITH_INSTANCE)
        wire_in_string(in, false);
    struct str client = wire_in_string(in, false), host = wire_in_string(in, false);
    wire_in_bytes(in, false);
    wire_in_bytes(in, false);
    if (names == NULL)
        return;
    if (names->n > 0)
        buf_text(names, ", ");
    text_put_visible(names, client);
    buf_text(names, " at ");
    if (host.n > 0 && host.p[0] == '/') // brokers write "/127.0.0.1"
        host = (struct str){host.p + 1, host.n - 1};
    text_put_visible(names, host);
}

enum status wire_group_read(struct str body, int16_t version, struct wire_group_seen *ret,
                            struct buf *names, struct err *err)
{
    struct wire_in in = wire_in_of(body);
    *ret = (struct wire_group_seen){0};
    if (version >= WITH_THROTTLE)
        wire_in_i32(&in);
    for (size_t n = wire_in_array(&in, false, GROUP_BYTES); n > 0; n--) {
        ret->code = wire_in_i16(&in);
        wire_in_string(&in, false);
        ret->state = wire_in_string(&in, false);
        wire_in_string(&in, false); // "consumer"
        wire_in_string(&in, false); // "range"
        ret->members = wire_in_array(&in, false, MEMBER_BYTES);
        for (size_t i = 0; i < ret->members; i++)
            read_member(&in, version, names);
        if (version >= WITH_OPERATIONS)
            wire_in_i32(&in);
    }
    return wire_in_check(&in, "DescribeGroups", err);
}
