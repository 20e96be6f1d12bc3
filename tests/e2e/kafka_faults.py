# SPDX-License-Identifier: Apache-2.0
"""A proxy before one Kafka broker that knows where answers begin and end, and what was asked: breaks the n-th answer of a
kind in one place. One fault at a time; it strikes once. It may hide the later versions of requests, as if the broker were an
older one."""
import collections
import itertools
import socket
import struct
import threading
import time

NAMES = {1: "Fetch", 2: "ListOffsets", 3: "Metadata", 8: "OffsetCommit", 10: "FindCoordinator", 11: "JoinGroup",
         12: "Heartbeat", 13: "LeaveGroup", 14: "SyncGroup", 15: "DescribeGroups", 18: "ApiVersions", 19: "CreateTopics",
         23: "OffsetForLeaderEpoch"}
KEYS = {name: key for key, name in NAMES.items()}
# From this version on a request's answer has compact lengths and tagged fields (Kafka protocol guide).
FLEXIBLE = {1: 12, 2: 6, 3: 9, 8: 8, 10: 3, 11: 6, 12: 4, 13: 4, 14: 4, 15: 5, 18: 99, 19: 5,
            23: 4}
SIZE_BYTES = 4

# codes: where its error codes stand; blind: bytes of which nobody could tell that they are wrong.
Answer = collections.namedtuple("Answer", "name number size codes blind")
Fault = collections.namedtuple("Fault", "verb name number at value", defaults=(0,))


class Reader:
    """Positions in an answer's bytes."""

    def __init__(self, data, at, flexible):
        self.data, self.at, self.flexible = data, at, flexible

    def skip(self, n):
        self.at += n

    def number(self):
        """A varint or, before flexible versions, int32: the length of an array."""
        if not self.flexible:
            self.at += 4
            return struct.unpack_from(">i", self.data, self.at - 4)[0]
        value, shift = 0, 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value - 1

    def skip_text(self):
        if self.flexible:
            self.skip(max(0, self.number()))
        else:
            self.skip(2 + max(0, struct.unpack_from(">h", self.data, self.at)[0]))

    def skip_tags(self):
        if self.flexible:
            assert self.data[self.at] == 0, "tagged fields"
            self.skip(1)


def skip_topic(at, version):
    """Of a Fetch answer: from 13 on not a name, but the 16 bytes of its id."""
    if version >= 13:
        at.skip(16)
    else:
        at.skip_text()


def metadata_codes(at, version):
    at.skip(4 if version >= 3 else 0)
    for _ in range(at.number()):
        at.skip(4)
        at.skip_text()
        at.skip(4)
        if version >= 1:
            at.skip_text()
        at.skip_tags()
    if version >= 2:
        at.skip_text()
    at.skip(4 if version >= 1 else 0)
    if at.number() < 1:
        return []
    places = [at.at]
    at.skip(2)
    at.skip_text()
    at.skip((16 if version >= 10 else 0) + (version >= 1))
    return places + [at.at] if at.number() > 0 else places


def code_places(key, version, data):
    """Where the error codes of an answer stand: of it whole, of its first topic, of that one's first partition."""
    flexible = version >= FLEXIBLE[key]
    at = Reader(data, SIZE_BYTES + 4 + flexible, flexible)  # size, correlation, tagged fields
    name = NAMES[key]
    if name == "ApiVersions":
        return [at.at]
    if name in ("FindCoordinator", "JoinGroup", "Heartbeat", "LeaveGroup", "SyncGroup"):
        return [at.at + 4]
    if name == "Fetch":
        at.skip(4)
        whole = [at.at] if version >= 7 else []
        at.skip(6 if version >= 7 else 0)
        if at.number() < 1:
            return whole
        skip_topic(at, version)
        return whole + [at.at + 4] if at.number() > 0 else whole
    if name == "Metadata":
        return metadata_codes(at, version)
    if name == "DescribeGroups":
        at.skip(4 if version >= 1 else 0)
        return [at.at] if at.number() > 0 else []
    if name == "CreateTopics":
        at.skip(4)
        at.number()
        at.skip_text()
        return [at.at]
    if name == "OffsetForLeaderEpoch" or name == "ListOffsets" and version >= 2:
        at.skip(4)
    at.number()
    at.skip_text()
    at.number()
    return [at.at + (0 if name == "OffsetForLeaderEpoch" else 4)]


def blind_places(version, frame):
    """What no checksum covers and nothing contradicts in a Fetch answer: whose records they are, base offsets that
    stay before the end."""
    flexible = version >= FLEXIBLE[1]
    at, places = Reader(frame, SIZE_BYTES + 4 + flexible, flexible), []
    at.skip(4 + (6 if version >= 7 else 0))
    for _ in range(at.number()):
        skip_topic(at, version)
        for _ in range(at.number()):
            places += range(at.at, at.at + 4)
            at.skip(4 + 2 + 8 + 8 + (8 if version >= 5 else 0))
            for _ in range(max(0, at.number())):
                at.skip(16)
                at.skip_tags()
            at.skip(4 if version >= 11 else 0)
            size = max(0, at.number())
            places += base_offsets(frame, at.at, at.at + size)
            at.skip(size)
            at.skip_tags()
        at.skip_tags()
    return places


def base_offsets(frame, at, end):
    places = []
    while at + 12 <= end:
        places.append(at + 7)
        at += 12 + struct.unpack_from(">i", frame, at + 8)[0]
    return places


def lowered(frame, most):
    """ApiVersions before version 3: of those requests no later version than that, or the broker's least."""
    frame, n = bytearray(frame), struct.unpack_from(">i", frame, SIZE_BYTES + 6)[0]
    for at in range(SIZE_BYTES + 10, SIZE_BYTES + 10 + 6 * n, 6):
        key, least, last = struct.unpack_from(">hhh", frame, at)
        struct.pack_into(">h", frame, at + 4, max(least, min(last, most.get(NAMES.get(key), last))))
    return bytes(frame)


class KafkaFaults:
    """Listens on PORT for the broker at `to`, HOST:PORT. most: the latest version of a request, by its name, that the broker
    seems to have; for a client that asks for its versions as brokers before 2.4 understand it."""

    def __init__(self, to, port, most=None):
        host, _, to_port = to.rpartition(":")
        self.to, self.lock, self.most = (host, int(to_port)), threading.Lock(), most
        self.versions = collections.defaultdict(set)  # of requests, by their names
        self.throttles_ms = []  # of each answer to Fetch
        self.listener = socket.create_server(("127.0.0.1", port))
        self.begin(None)
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # or the thread that accepts would keep it
        self.listener.close()

    def begin(self, fault):
        """From here on this fault is waited for; what is answered is counted anew."""
        with self.lock:
            self.fault, self.has_struck, self.answers = fault, False, []
            self.counts = collections.Counter()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.to, 10)
            except OSError:
                client.close()
                continue
            for sock in (client, server):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            asked = {}
            for pump in (self.pump_up, self.pump_down):
                threading.Thread(target=pump, args=(client, server, asked), daemon=True).start()

    def pump_up(self, client, server, asked):
        try:
            while frame := read_frame(client):
                key, version, correlation = struct.unpack_from(">hhi", frame, SIZE_BYTES)
                asked[correlation] = key, version
                server.sendall(frame)
        except OSError:
            pass
        end(client, server)

    def pump_down(self, client, server, asked):
        try:
            while frame := read_frame(server):
                correlation, = struct.unpack_from(">i", frame, SIZE_BYTES)
                key, version = asked.pop(correlation)
                if key not in NAMES:
                    client.sendall(frame)
                elif not self.pass_on(client, frame, key, version):
                    break
        except OSError:
            pass
        end(client, server)

    def pass_on(self, client, frame, key, version):
        """False when that was the connection's end."""
        if NAMES[key] == "ApiVersions" and self.most:
            frame = lowered(frame, self.most)
        fault = self.count(frame, key, version)
        if fault is None:
            client.sendall(frame)
        elif fault.verb == "cut":
            client.sendall(frame[:fault.at])
            return False
        elif fault.verb == "drip":
            for i in range(len(frame)):
                client.sendall(frame[i:i + 1])
        elif fault.verb == "delay":
            client.sendall(frame[:fault.at])
            time.sleep(fault.value)
            client.sendall(frame[fault.at:])
        elif fault.verb == "flip":
            client.sendall(frame[:fault.at] + bytes([frame[fault.at] ^ fault.value]) + frame[fault.at + 1:])
        elif fault.verb == "code":
            client.sendall(frame[:fault.at] + struct.pack(">h", fault.value) + frame[fault.at + 2:])
        return True

    def count(self, frame, key, version):
        name = NAMES[key]
        with self.lock:
            self.versions[name].add(version)
            if name == "Fetch":
                self.throttles_ms += struct.unpack_from(">i", frame, SIZE_BYTES + 4 + (version >= FLEXIBLE[key]))
            number = self.counts[name]
            self.counts[name] += 1
            self.answers.append(Answer(name, number, len(frame), code_places(key, version, frame),
                                       blind_places(version, frame) if name == "Fetch" else []))
            fault = self.fault
            if fault is None or (fault.name, fault.number) != (name, number) or fault.at >= len(frame):
                return None
            self.fault, self.has_struck = None, True
            return fault


def read_frame(sock):
    """With its size; b"" at the end."""
    size = read_all(sock, SIZE_BYTES)
    return size + read_all(sock, struct.unpack(">i", size)[0]) if size else b""


def read_all(sock, n):
    data = bytearray()
    while len(data) < n:
        piece = sock.recv(n - len(data))
        if not piece:
            return b""
        data += piece
    return bytes(data)


def end(*socks):
    for sock in socks:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        sock.close()


def cuts(answers):
    """A cut before each byte of each answer, and behind the last one."""
    return [Fault("cut", one.name, one.number, at) for one in answers for at in range(one.size)]


def flips(answers, masks):
    """But for bytes of which nobody could tell."""
    return [Fault("flip", one.name, one.number, at, mask) for one in answers for at in range(one.size) for mask in masks
            if at not in one.blind]


def codes(answers, values):
    return [Fault("code", one.name, one.number, at, value)
            for one in answers for at, value in itertools.product(one.codes, values)]


def slow(answers, seconds):
    """Bytes that come one by one; a pause in the middle."""
    return ([Fault("drip", one.name, one.number, 0) for one in answers] +
            [Fault("delay", one.name, one.number, one.size // 2, seconds) for one in answers])
