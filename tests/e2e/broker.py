# SPDX-License-Identifier: Apache-2.0
"""Kafka for tests: topics, production and transactions by librdkafka through ctypes, reading by
kcat, and whatever else by Kafka's own Java tools. No JVM is started for the common things."""
import ctypes
import json
import os
import subprocess
import time
from ctypes import POINTER, Structure, Union, byref, c_char_p, c_int, c_int32, c_int64, c_size_t
from ctypes import c_void_p

import lib

LIMIT_MS = 30_000
_API = {
    "rd_kafka_conf_new": (c_void_p,),
    "rd_kafka_conf_set": (c_int, c_void_p, c_char_p, c_char_p, c_char_p, c_size_t),
    "rd_kafka_conf_set_dr_msg_cb": (None, c_void_p, c_void_p),
    "rd_kafka_new": (c_void_p, c_int, c_void_p, c_char_p, c_size_t),
    "rd_kafka_destroy": (None, c_void_p),
    "rd_kafka_err2str": (c_char_p, c_int),
    "rd_kafka_flush": (c_int, c_void_p, c_int),
    "rd_kafka_poll": (c_int, c_void_p, c_int),
    "rd_kafka_produceva": (c_void_p, c_void_p, c_void_p, c_size_t),
    "rd_kafka_error_string": (c_char_p, c_void_p),
    "rd_kafka_error_destroy": (None, c_void_p),
    "rd_kafka_init_transactions": (c_void_p, c_void_p, c_int),
    "rd_kafka_begin_transaction": (c_void_p, c_void_p),
    "rd_kafka_commit_transaction": (c_void_p, c_void_p, c_int),
    "rd_kafka_abort_transaction": (c_void_p, c_void_p, c_int),
    "rd_kafka_query_watermark_offsets":
        (c_int, c_void_p, c_char_p, c_int32, c_void_p, c_void_p, c_int),
    "rd_kafka_queue_new": (c_void_p, c_void_p),
    "rd_kafka_queue_destroy": (None, c_void_p),
    "rd_kafka_queue_poll": (c_void_p, c_void_p, c_int),
    "rd_kafka_event_destroy": (None, c_void_p),
    "rd_kafka_event_error": (c_int, c_void_p),
    "rd_kafka_event_error_string": (c_char_p, c_void_p),
    "rd_kafka_NewTopic_new": (c_void_p, c_char_p, c_int, c_int, c_char_p, c_size_t),
    "rd_kafka_NewTopic_set_config": (c_int, c_void_p, c_char_p, c_char_p),
    "rd_kafka_NewTopic_destroy": (None, c_void_p),
    "rd_kafka_DeleteTopic_new": (c_void_p, c_char_p),
    "rd_kafka_DeleteTopic_destroy": (None, c_void_p),
    "rd_kafka_NewPartitions_new": (c_void_p, c_char_p, c_size_t, c_char_p, c_size_t),
    "rd_kafka_NewPartitions_destroy": (None, c_void_p),
    "rd_kafka_DeleteRecords_new": (c_void_p, c_void_p),
    "rd_kafka_DeleteRecords_destroy": (None, c_void_p),
    "rd_kafka_topic_partition_list_new": (c_void_p, c_int),
    "rd_kafka_topic_partition_list_add": (c_void_p, c_void_p, c_char_p, c_int32),
    "rd_kafka_topic_partition_list_set_offset":
        (c_int, c_void_p, c_char_p, c_int32, c_int64),
    "rd_kafka_topic_partition_list_destroy": (None, c_void_p),
    "rd_kafka_topic_result_error": (c_int, c_void_p),
    "rd_kafka_topic_result_error_string": (c_char_p, c_void_p),
    "rd_kafka_CreateTopics": (None, c_void_p, c_void_p, c_size_t, c_void_p, c_void_p),
    "rd_kafka_DeleteTopics": (None, c_void_p, c_void_p, c_size_t, c_void_p, c_void_p),
    "rd_kafka_CreatePartitions": (None, c_void_p, c_void_p, c_size_t, c_void_p, c_void_p),
    "rd_kafka_DeleteRecords": (None, c_void_p, c_void_p, c_size_t, c_void_p, c_void_p),
    "rd_kafka_event_CreateTopics_result": (c_void_p, c_void_p),
    "rd_kafka_event_DeleteTopics_result": (c_void_p, c_void_p),
    "rd_kafka_event_CreatePartitions_result": (c_void_p, c_void_p),
    "rd_kafka_CreateTopics_result_topics": (POINTER(c_void_p), c_void_p, c_void_p),
    "rd_kafka_DeleteTopics_result_topics": (POINTER(c_void_p), c_void_p, c_void_p),
    "rd_kafka_CreatePartitions_result_topics": (POINTER(c_void_p), c_void_p, c_void_p),
}


def _load():
    library = ctypes.CDLL("librdkafka.so.1")
    for name, (result, *arguments) in _API.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


_rd = _load()


class _Memory(Structure):
    _fields_ = [("ptr", c_char_p), ("size", c_size_t)]


class _Header(Structure):
    _fields_ = [("name", c_char_p), ("value", c_char_p), ("size", c_size_t)]


class _Value(Union):
    _fields_ = [("text", c_char_p), ("i", c_int), ("i32", c_int32), ("i64", c_int64),
                ("memory", _Memory), ("header", _Header), ("pad", ctypes.c_char * 64)]


class _Argument(Structure):
    """rd_kafka_vu_t"""
    _fields_ = [("kind", c_int), ("value", _Value)]


class _Message(Structure):
    """rd_kafka_message_t"""
    _fields_ = [("err", c_int), ("topic", c_void_p), ("partition", c_int32),
                ("payload", c_void_p), ("size", c_size_t), ("key", c_void_p),
                ("key_size", c_size_t), ("offset", c_int64), ("private", c_void_p)]


_TOPIC, _PARTITION, _VALUE, _KEY, _FLAGS, _TIMESTAMP, _HEADER = 1, 3, 4, 5, 7, 8, 9
_COPY_AND_BLOCK = 0x2 | 0x4
_DELIVERED = ctypes.CFUNCTYPE(None, c_void_p, POINTER(_Message), c_void_p)


def _argument(kind, **value):
    argument = _Argument(kind=kind)
    for name, content in value.items():
        setattr(argument.value, name, content)
    return argument


def _bytes(value):
    return value.encode() if isinstance(value, str) else value


class Producer:
    """Sends records; with transactional_id in transactions. offsets: of what was delivered."""

    def __init__(self, transactional_id=None, brokers=None, **settings):
        self.offsets, self.errors = [], []
        self._delivered_cb = _DELIVERED(self._delivered)
        settings = {"bootstrap.servers": brokers or lib.brokers(), "linger.ms": 5,
                    "partitioner": "murmur2_random", **settings}
        if transactional_id:
            settings["transactional.id"] = transactional_id
        self.handle = _new(settings, self._delivered_cb)
        if transactional_id:
            _check(_rd.rd_kafka_init_transactions(self.handle, LIMIT_MS))

    def _delivered(self, _handle, message, _opaque):
        if message.contents.err:
            self.errors.append(_rd.rd_kafka_err2str(message.contents.err).decode())
        else:
            self.offsets.append((message.contents.partition, message.contents.offset))

    def send(self, topic, value, key=None, partition=-1, headers=(), timestamp_ms=None):
        value, key = _bytes(value), _bytes(key)
        arguments = [_argument(_TOPIC, text=topic.encode()), _argument(_PARTITION, i32=partition),
                     _argument(_FLAGS, i=_COPY_AND_BLOCK),
                     _argument(_VALUE, memory=_Memory(value, len(value or b"")))]
        if key is not None:
            arguments.append(_argument(_KEY, memory=_Memory(key, len(key))))
        if timestamp_ms is not None:
            arguments.append(_argument(_TIMESTAMP, i64=timestamp_ms))
        for name, content in headers:
            content = _bytes(content)
            header = _Header(name.encode(), content, len(content or b""))
            arguments.append(_argument(_HEADER, header=header))
        array = (_Argument * len(arguments))(*arguments)
        _check(_rd.rd_kafka_produceva(self.handle, array, len(arguments)))
        _rd.rd_kafka_poll(self.handle, 0)

    def flush(self):
        """All that was sent is in the log, or this fails."""
        if _rd.rd_kafka_flush(self.handle, LIMIT_MS) != 0:
            raise AssertionError("not all records were taken by the broker in time")
        if self.errors:
            raise AssertionError(f"{len(self.errors)} records failed: {self.errors[0]}")

    def begin(self):
        _check(_rd.rd_kafka_begin_transaction(self.handle))

    def commit(self):
        _check(_rd.rd_kafka_commit_transaction(self.handle, LIMIT_MS))

    def abort(self):
        """Ends the transaction; its records are in the log, but aborted."""
        self.flush()
        _check(_rd.rd_kafka_abort_transaction(self.handle, LIMIT_MS))

    def close(self):
        if self.handle:
            _rd.rd_kafka_destroy(self.handle)
            self.handle = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _new(settings, delivered_cb=None):
    text = ctypes.create_string_buffer(512)
    conf = _rd.rd_kafka_conf_new()
    for name, value in settings.items():
        name = name.replace("_", ".")
        if _rd.rd_kafka_conf_set(conf, name.encode(), str(value).encode(), text, 512) != 0:
            raise ValueError(text.value.decode())
    if delivered_cb is not None:
        _rd.rd_kafka_conf_set_dr_msg_cb(conf, ctypes.cast(delivered_cb, c_void_p))
    handle = _rd.rd_kafka_new(0, conf, text, 512)
    if not handle:
        raise AssertionError(text.value.decode())
    return handle


def _check(error):
    if error:
        text = _rd.rd_kafka_error_string(error).decode()
        _rd.rd_kafka_error_destroy(error)
        raise AssertionError(text)


def _admin(verb, item, destroy, brokers, has_topics=True):
    """One admin call about one item; fails with the broker's words."""
    handle = _new({"bootstrap.servers": brokers or lib.brokers()})
    queue = _rd.rd_kafka_queue_new(handle)
    items = (c_void_p * 1)(item)
    getattr(_rd, f"rd_kafka_{verb}")(handle, items, 1, None, queue)
    event = _rd.rd_kafka_queue_poll(queue, LIMIT_MS)
    try:
        if not event:
            raise AssertionError(f"{verb}: no answer")
        if _rd.rd_kafka_event_error(event):
            raise AssertionError(f"{verb}: {_rd.rd_kafka_event_error_string(event).decode()}")
        if has_topics:
            _check_topics(verb, event)
    finally:
        if event:
            _rd.rd_kafka_event_destroy(event)
        destroy(item)
        _rd.rd_kafka_queue_destroy(queue)
        _rd.rd_kafka_destroy(handle)


def _check_topics(verb, event):
    n_topics = c_size_t()
    result = getattr(_rd, f"rd_kafka_event_{verb}_result")(event)
    topics = getattr(_rd, f"rd_kafka_{verb}_result_topics")(result, byref(n_topics))
    for i in range(n_topics.value):
        code = _rd.rd_kafka_topic_result_error(topics[i])
        if code:
            said = _rd.rd_kafka_topic_result_error_string(topics[i])
            raise AssertionError(f"{verb}: {(said or _rd.rd_kafka_err2str(code)).decode()}")


def create_topic(name=None, partitions=1, config=None, brokers=None):
    """Makes a topic and returns its name (a fresh one without a name)."""
    name = name or lib.fresh_name("topic")
    text = ctypes.create_string_buffer(512)
    item = _rd.rd_kafka_NewTopic_new(name.encode(), partitions, 1, text, 512)
    for key, value in (config or {}).items():
        _rd.rd_kafka_NewTopic_set_config(item, key.encode(), str(value).encode())
    _admin("CreateTopics", item, _rd.rd_kafka_NewTopic_destroy, brokers)
    # The controller has it; a busy broker may not have heard of it yet.
    lib.wait_until(lambda: len(leaders(name, brokers)) == partitions, LIMIT_MS / 1000, f"topic {name}")
    return name


def delete_topic(name, brokers=None):
    item = _rd.rd_kafka_DeleteTopic_new(name.encode())
    _admin("DeleteTopics", item, _rd.rd_kafka_DeleteTopic_destroy, brokers)


def add_partitions(name, total, brokers=None):
    """The topic has `total` partitions after it."""
    text = ctypes.create_string_buffer(512)
    item = _rd.rd_kafka_NewPartitions_new(name.encode(), total, text, 512)
    _admin("CreatePartitions", item, _rd.rd_kafka_NewPartitions_destroy, brokers)


def delete_records(name, partition, before, brokers=None):
    """Records with offsets below `before` leave the partition, as by retention."""
    offsets = _rd.rd_kafka_topic_partition_list_new(1)
    _rd.rd_kafka_topic_partition_list_add(offsets, name.encode(), partition)
    _rd.rd_kafka_topic_partition_list_set_offset(offsets, name.encode(), partition, before)
    item = _rd.rd_kafka_DeleteRecords_new(offsets)
    _rd.rd_kafka_topic_partition_list_destroy(offsets)
    _admin("DeleteRecords", item, _rd.rd_kafka_DeleteRecords_destroy, brokers, has_topics=False)


def produce(topic, values, partition=-1, key=None, brokers=None):
    """Sends values (bytes or text); key: a function of the value."""
    with Producer(brokers=brokers) as producer:
        for value in values:
            producer.send(topic, value, key(value) if key else None, partition)
        producer.flush()
        return producer.offsets


# Of a topic that is compacted as soon as there is a next segment.
COMPACTED = {"cleanup.policy": "compact", "segment.ms": 100, "min.cleanable.dirty.ratio": 0.001}


def produce_in_segments(topic, turns):
    """To a COMPACTED topic; each turn, of (value, key, partition), is a segment. Returns once records of them are gone."""
    for turn in turns:
        with Producer() as producer:
            for value, key, partition in turn:
                producer.send(topic, value, key, partition)
            producer.flush()
        time.sleep(0.2)  # the next turn is another segment, and only the last is not compacted
    n_sent = sum(map(len, turns))
    lib.wait_until(lambda: len(consume(topic)) < n_sent, 60, "the topic to be compacted")


# Of a new partition, the broker: unknown, without a leader, not its leader; the client: no such one, or
# topic, in what it was told.
NOT_YET = (3, 5, 6, -190, -188)


def watermarks(topic, partition=0, brokers=None):
    """(first offset, the offset after the last), markers of transactions counted."""
    low, high = c_int64(), c_int64()
    handle = _new({"bootstrap.servers": brokers or lib.brokers()})
    deadline = time.monotonic() + LIMIT_MS / 1000
    while True:
        code = _rd.rd_kafka_query_watermark_offsets(handle, topic.encode(), partition, byref(low),
                                                    byref(high), LIMIT_MS)
        if code not in NOT_YET or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    _rd.rd_kafka_destroy(handle)
    if code:
        raise AssertionError(f"watermarks: {_rd.rd_kafka_err2str(code).decode()}")
    return low.value, high.value


def consume(topic, isolation="read_committed", brokers=None):
    """All records, read by kcat: [(partition, offset, key or None, value or None)]."""
    command = ["kcat", "-C", "-q", "-e", "-b", brokers or lib.brokers(), "-t", topic,
               "-o", "beginning", "-X", f"isolation.level={isolation}",
               "-f", "%p %o %K %S\n%k%s\n"]
    out = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True,
                         timeout=LIMIT_MS / 1000).stdout
    records, at = [], 0
    while at < len(out):
        end = out.index(b"\n", at)
        partition, offset, n_key, n_value = map(int, out[at:end].split())
        key_end = end + 1 + max(n_key, 0)
        value_end = key_end + max(n_value, 0)
        records.append((partition, offset, out[end + 1:key_end] if n_key >= 0 else None,
                        out[key_end:value_end] if n_value >= 0 else None))
        at = value_end + 1
    return sorted(records)


def leaders(topic, brokers=None):
    """The broker that leads each partition, -1 where there is none, as kcat is told."""
    out = subprocess.run(["kcat", "-L", "-J", "-b", brokers or lib.brokers(), "-t", topic],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True,
                         timeout=LIMIT_MS / 1000).stdout
    topics = [one for one in json.loads(out)["topics"] if one["topic"] == topic]
    partitions = sorted(topics[0]["partitions"] if topics else [], key=lambda one: one["partition"])
    return [one["leader"] for one in partitions]


def java_tool(name, *args, brokers=None):
    """Runs org.apache.kafka.tools.NAME with --bootstrap-server; returns what it prints."""
    command = [lib.STACK, "java", "kafka", f"org.apache.kafka.tools.{name}",
               "--bootstrap-server", brokers or lib.brokers(), *args]
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          check=True, env=os.environ, timeout=60).stdout
