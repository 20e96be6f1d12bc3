// SPDX-License-Identifier: Apache-2.0
#include "log/order.h"

#include <inttypes.h>

#include "core/env.h"
#include "log/fields.h"

static json_t *line_json(const char *kind)
{
    json_t *object = json_object();
    put_number(object, "v", ORDER_VERSION);
    put_text(object, "kind", str_of(kind));
    return object;
}

static void end_line(json_t *object, struct buf *ret)
{
    fields_append(object, ret);
    json_decref(object);
}

// Reads a line; the object is the caller's.
static enum status parse(struct str line, json_t **ret, struct err *err)
{
    json_error_t why;
    if (line.n > ORDER_LINE_MAX)
        return err_set(err, ST_DATA, "a line of %zu bytes; one has at most %d", line.n,
                       ORDER_LINE_MAX);
    if (json_check(line, ORDER_VALUES_MAX, err) != ST_OK)
        return err_context(err, ST_DATA, "as JSON");
    json_t *object = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, &why);
    if (object == NULL)
        return err_set(err, ST_DATA, "it is not JSON: %s", why.text);
    const json_t *version = json_object_get(object, "v");
    if (json_is_integer(version) && json_integer_value(version) == ORDER_VERSION) {
        *ret = object;
        return ST_OK;
    }
    enum status rc = err_set(err, ST_DATA,
                             "field 'v' is not %d, the version of these lines; have the "
                             "same tramline on both sides",
                             ORDER_VERSION);
    json_decref(object);
    return rc;
}

// Orders.

void order_release(struct order *order)
{
    arena_release(&order->arena);
    *order = (struct order){0};
}

static json_t *range_json(const struct order_range *range)
{
    json_t *object = json_object();
    put_number(object, "partition", range->partition);
    put_number(object, "first", range->first);
    put_number(object, "next", range->next);
    return object;
}

void order_encode(const struct order *order, struct buf *ret)
{
    json_t *object = line_json("order"), *ranges = json_array();
    put_number(object, "order", order->number);
    put_text(object, "cluster", order->cluster);
    put_text(object, "topic", order->topic);
    put_text(object, "plan", order->plan);
    put_text(object, "schema", order->schema);
    put_text(object, "writer", order->writer);
    for (size_t i = 0; i < order->n_ranges; i++)
        json_array_append_new(ranges, range_json(&order->ranges[i]));
    json_object_set_new(object, "partitions", ranges);
    end_line(object, ret);
}

static struct order_range get_range(struct decoding *dec, const json_t *object)
{
    struct order_range range = {
        .partition = get_partition(dec, object),
        .first = get_number(dec, object, "first"),
        .next = get_number(dec, object, "next"),
    };
    if (range.next <= range.first)
        wrong(dec, "next", "beyond first");
    return range;
}

static void get_order(struct decoding *dec, const json_t *object, struct order *ret)
{
    struct str kind = get_text(dec, object, "kind");
    if (!str_is(kind, "order"))
        wrong(dec, "kind", "'order'");
    ret->cluster = get_text(dec, object, "cluster");
    ret->topic = get_text(dec, object, "topic");
    ret->plan = get_text(dec, object, "plan");
    ret->schema = get_text(dec, object, "schema");
    ret->writer = get_text(dec, object, "writer");
    if (!env_is_uuid(ret->writer))
        wrong(dec, "writer", "a UUID");
    const json_t *ranges = get_array(dec, object, "partitions");
    ret->n_ranges = json_array_size(ranges);
    if (ret->n_ranges == 0)
        wrong(dec, "partitions", "a list of at least one");
    ret->ranges = arena_array(dec->arena, ret->n_ranges, sizeof(*ret->ranges));
    for (size_t i = 0; i < ret->n_ranges; i++)
        ret->ranges[i] = get_range(dec, json_array_get(ranges, i));
}

static enum status check_rise(const struct order *order, struct err *err)
{
    for (size_t i = 1; i < order->n_ranges; i++)
        TRY(check_order(order->ranges[i - 1].partition, order->ranges[i].partition, err));
    return ST_OK;
}

enum status order_decode(struct str line, struct order *ret, struct err *err)
{
    struct order order = {0};
    struct decoding dec = {.arena = &order.arena, .err = err};
    json_t *object;
    *ret = (struct order){.number = -1};
    TRY(parse(line, &object, err));
    order.number = get_number(&dec, object, "order");
    if (dec.rc == ST_OK)
        ret->number = order.number;
    get_order(&dec, object, &order);
    json_decref(object);
    enum status rc = dec.rc;
    if (rc == ST_OK)
        rc = check_rise(&order, err);
    if (rc == ST_OK)
        *ret = order;
    else
        arena_release(&order.arena);
    return rc;
}

// Answers.

static const char *const kind_names[] = {[ANSWER_UNIT] = "unit",
                                         [ANSWER_ERROR] = "error",
                                         [ANSWER_LOST] = "lost",
                                         [ANSWER_SLOTS] = "slots",
                                         [ANSWER_ALIVE] = "alive"};

void answer_release(struct answer *answer)
{
    if (answer->kind == ANSWER_UNIT)
        unit_release(&answer->unit);
    arena_release(&answer->arena);
    *answer = (struct answer){0};
}

void answer_encode(const struct answer *answer, struct buf *ret)
{
    json_t *object = line_json(kind_names[answer->kind]);
    if (answer->order >= 0 && answer->kind < ANSWER_SLOTS)
        put_number(object, "order", answer->order);
    if (answer->kind == ANSWER_UNIT) {
        json_object_set_new(object, "unit", unit_json(&answer->unit));
        put_number(object, "unmatched", answer->unit.unmatched);
        put_number(object, "filtered", answer->unit.filtered);
    }
    if (answer->kind == ANSWER_ERROR) {
        put_text(object, "status", str_of(answer->may_retry ? "retry" : "final"));
        put_text(object, "code", answer->code.p ? answer->code : str_of(""));
        put_text(object, "text", answer->text);
        if (answer->exit_code > 0)
            put_number(object, "exit_code", answer->exit_code);
    }
    if (answer->kind == ANSWER_SLOTS)
        put_number(object, "slots", answer->number);
    if (answer->kind == ANSWER_ALIVE)
        put_number(object, "for_ms", answer->number);
    end_line(object, ret);
}

static void get_error(struct decoding *dec, const json_t *object, struct answer *ret)
{
    struct str status = get_text(dec, object, "status");
    ret->may_retry = str_is(status, "retry");
    if (!ret->may_retry && !str_is(status, "final"))
        wrong(dec, "status", "'retry' or 'final'");
    ret->code = get_text(dec, object, "code");
    ret->text = get_text(dec, object, "text");
    if (json_object_get(object, "exit_code") != NULL)
        ret->exit_code = get_number(dec, object, "exit_code");
}

// What a driver says of itself. False: it is no such line.
static bool get_driver(struct decoding *dec, const json_t *object, struct str kind,
                       struct answer *ret)
{
    bool is_slots = str_is(kind, kind_names[ANSWER_SLOTS]);
    if (!is_slots && !str_is(kind, kind_names[ANSWER_ALIVE]))
        return false;
    const char *field = is_slots ? "slots" : "for_ms";
    int64_t least = is_slots ? 1 : 0;
    ret->kind = is_slots ? ANSWER_SLOTS : ANSWER_ALIVE;
    ret->number = get_number(dec, object, field);
    if (ret->number < least)
        wrong(dec, field, "1 or more");
    return true;
}

// Of the unit's records; 0 where it is not said.
static int64_t get_count(struct decoding *dec, const json_t *object, const char *field,
                         const struct unit *unit)
{
    int64_t n_records = 0;
    if (json_object_get(object, field) == NULL)
        return 0;
    for (size_t i = 0; i < unit->n_spans; i++)
        n_records += unit->spans[i].data;
    int64_t n = get_number(dec, object, field);
    if (n > n_records)
        wrong(dec, field, "at most the unit's records");
    return n;
}

static enum status get_unit(struct decoding *dec, const json_t *object, struct unit *ret,
                            struct err *err)
{
    TRY(unit_of_json(json_object_get(object, "unit"), ret, err));
    ret->unmatched = get_count(dec, object, "unmatched", ret);
    ret->filtered = get_count(dec, object, "filtered", ret);
    if (dec->rc != ST_OK)
        unit_release(ret);
    return dec->rc;
}

static enum status get_answer(struct decoding *dec, const json_t *object,
                              struct answer *ret, struct err *err)
{
    struct str kind = get_text(dec, object, "kind");
    ret->kind = ANSWER_LOST;
    ret->order = -1;
    if (get_driver(dec, object, kind, ret))
        return dec->rc;
    if (json_object_get(object, "order") != NULL || !str_is(kind, "error"))
        ret->order = get_number(dec, object, "order");
    TRY(dec->rc);
    if (str_is(kind, "error")) {
        ret->kind = ANSWER_ERROR;
        get_error(dec, object, ret);
    } else if (str_is(kind, "unit")) {
        TRY(get_unit(dec, object, &ret->unit, err));
        ret->kind = ANSWER_UNIT;
    } else if (!str_is(kind, "lost")) {
        wrong(dec, "kind", "'unit', 'error', 'lost', 'slots' or 'alive'");
    }
    return dec->rc;
}

enum status answer_decode(struct str line, struct answer *ret, struct err *err)
{
    struct answer answer = {0};
    struct decoding dec = {.arena = &answer.arena, .err = err};
    json_t *object;
    TRY(parse(line, &object, err));
    enum status rc = get_answer(&dec, object, &answer, err);
    json_decref(object);
    if (rc == ST_OK)
        *ret = answer;
    else
        arena_release(&answer.arena);
    return rc;
}

// What the coordinator says.

void order_trigger_encode(const struct order_trigger *trigger, struct buf *ret)
{
    json_t *object = line_json("trigger");
    put_number(object, "trigger", trigger->trigger);
    put_number(object, "orders", trigger->orders);
    put_text(object, "label", trigger->label);
    end_line(object, ret);
}

void order_done_encode(const struct order_done *done, struct buf *ret)
{
    json_t *object = line_json("commit");
    put_number(object, "order", done->order);
    put_number(object, "entry", done->entry);
    put_number(object, "records", done->records);
    put_number(object, "rows", done->rows);
    end_line(object, ret);
}

void order_progress_encode(const struct order_progress *progress, struct buf *ret)
{
    json_t *object = line_json("progress");
    put_number(object, "entry", progress->entry);
    put_number(object, "committed", progress->committed);
    put_number(object, "lag_records", progress->lag);
    end_line(object, ret);
}

void orders_end_encode(const char *why, struct buf *ret)
{
    json_t *object = line_json("end");
    if (why != NULL)
        put_text(object, "why", str_of(why));
    end_line(object, ret);
}
