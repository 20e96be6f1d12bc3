#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy on 127.0.0.1 that breaks connections on command.

    fault_proxy.py --to HOST:PORT [--listen PORT] [--control PORT] [--rewrite OLD=NEW]...

Prints "listen=PORT control=PORT" when it is ready; ends at SIGTERM. The control port takes one
command a line and answers each with one line of JSON, {"ok": true, ...} or {"error": ...}:

    pass                   no faults; what was held back flows again
    cut N up|down [TEXT]   end a connection after N more bytes in that direction; with TEXT,
                           after the N-th byte behind the first TEXT seen going up
    reset                  reset all connections now
    refuse                 reset every new connection at once
    blackhole              accept, answer nothing, forward nothing, on old connections too
    drop [N] [TEXT]        the next N (1) requests that hold TEXT reach the server; its answer is
                           thrown away and the connection reset: done, but nobody knows
    late SECONDS [TEXT]    the next request that holds TEXT reaches the server so much later, even
                           when the client has given up by then; its answer is thrown away
    lose [N] [TEXT]        the next N (1) requests that hold TEXT do not reach the server; the
                           connection is reset
    stall [N] [TEXT]       from the N-th (1st) request that holds TEXT on it is as `blackhole`
    delay MS               hold every piece of data so long, in both directions
    rate BYTES             at most so many bytes a second on each connection and direction
    stats                  connections, bytes, and how often each fault struck

`cut`, `drop`, `late`, `lose` and `stall` wait until they struck; the others hold until the next `pass`.
A request is what the client sends in one piece; TEXT is looked for in the bytes going up, also
where two pieces meet. --rewrite replaces bytes of equal length in the pieces of answers: HDFS
names its data node in a redirect, and the client must come back through a proxy.
"""
import argparse
import asyncio
import json
import os
import signal
import socket
import struct
import sys

PIECE = 64 * 1024


class Faults:
    """What is to be done to connections; one for the whole proxy."""

    def __init__(self):
        self.clear()
        self.struck = {}

    def clear(self):
        self.refuse = self.blackhole = False
        self.delay_s = 0.0
        self.rate = 0
        self.cut = None  # (bytes, direction, text)
        self.pending = []  # [(verb, seconds, text)], each strikes once
        self.stall = None  # [requests before it strikes, text]

    def strike(self, name):
        self.struck[name] = self.struck.get(name, 0) + 1

    def take_pending(self, seen):
        """The first waiting fault whose text is in what was seen, which is then spent."""
        for fault in self.pending:
            if fault[2] in seen:
                self.pending.remove(fault)
                self.strike(fault[0])
                return fault
        return None

    def count_to_stall(self, seen, n_new):
        """A text that ended before the new bytes was counted with them."""
        if self.stall is None or seen.rfind(self.stall[1]) < max(0, len(seen) - n_new - len(self.stall[1]) + 1):
            return
        self.stall[0] -= 1
        if self.stall[0] == 0:
            self.stall = None
            self.blackhole = True
            self.strike("stall")


class Connection:
    def __init__(self, proxy, client_reader, client_writer):
        self.proxy, self.faults = proxy, proxy.faults
        self.client_reader, self.client_writer = client_reader, client_writer
        self.server_reader = self.server_writer = None
        self.seen_up = b""  # the end of what went up, for texts on the border of two pieces
        self.mute = False  # the answer is to be thrown away, and the client reset
        self.cut = None  # [bytes left, direction], once it applies to this connection
        self.is_cut = False  # what comes back is read and thrown away

    async def run(self):
        if self.faults.refuse:
            self.faults.strike("refuse")
            return self.reset()
        await self.wait_while_blackholed()
        try:
            self.server_reader, self.server_writer = await asyncio.open_connection(*self.proxy.to)
        except OSError:
            return self.reset()
        up = asyncio.ensure_future(self.pump_up())
        down = asyncio.ensure_future(self.pump_down())
        try:
            await asyncio.gather(up, down)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for task in (up, down):
                task.cancel()
            self.close()

    async def wait_while_blackholed(self):
        if self.faults.blackhole:
            self.faults.strike("blackhole")
        while self.faults.blackhole:
            await self.proxy.changed()

    async def pump_up(self):
        while data := await self.client_reader.read(PIECE):
            if self.is_cut:
                continue
            seen = self.seen_up + data
            self.faults.count_to_stall(seen, len(data))
            await self.wait_while_blackholed()
            if not await self.apply_pending(seen):
                return
            self.arm_cut(seen, len(data))
            self.seen_up = seen[-256:]
            if not await self.send(self.server_writer, data, "up"):
                return
        if not self.mute and not self.is_cut:
            self.server_writer.write_eof()

    async def apply_pending(self, seen):
        """Strikes with a waiting fault; False when the request must not go on."""
        fault = self.faults.take_pending(seen)
        if fault is None:
            return True
        self.seen_up = b""
        verb, seconds, _ = fault
        if verb == "lose":
            self.reset()
            return False
        self.mute = True
        if verb == "late":
            await asyncio.sleep(seconds)
        return True

    async def pump_down(self):
        while data := await self.server_reader.read(PIECE):
            if self.is_cut:
                continue
            await self.wait_while_blackholed()
            if self.mute and not data.startswith(b"HTTP/1.1 100 "):
                return self.reset()
            self.arm_cut(b"", 0)
            for old, new in self.proxy.rewrites:
                data = data.replace(old, new)
            if not await self.send(self.client_writer, data, "down"):
                return
        if self.mute:
            return self.reset()
        if not self.is_cut:
            self.client_writer.write_eof()

    def arm_cut(self, seen, n_new):
        """Takes the proxy's waiting cut for this connection, once its text was seen."""
        if self.faults.cut is None or self.cut is not None:
            return
        n_bytes, direction, text = self.faults.cut
        at = seen.find(text) if text else 0
        if at < 0 or (text and not seen):
            return
        # Bytes of this piece that stand before the text's end do not count.
        before = max(0, at + len(text) - (len(seen) - n_new)) if direction == "up" and text else 0
        self.cut = [n_bytes + before, direction]
        self.faults.cut = None

    async def send(self, writer, data, direction):
        """Sends data with delay, rate and cut; False when the connection was cut."""
        if self.faults.delay_s:
            await asyncio.sleep(self.faults.delay_s)
        is_cut = self.cut is not None and self.cut[1] == direction
        if is_cut and len(data) >= self.cut[0]:
            data = data[: self.cut[0]]
            await self.write(writer, data, direction)
            self.faults.strike("cut")
            # The receiver has all bytes up to here and then the end, the sender a reset.
            sender = self.client_writer if direction == "up" else self.server_writer
            set_to_reset(sender)
            sender.close()
            writer.write_eof()
            self.is_cut = True
            return False
        if is_cut:
            self.cut[0] -= len(data)
        await self.write(writer, data, direction)
        return True

    async def write(self, writer, data, direction):
        while data:
            size = max(1, self.faults.rate // 20) if self.faults.rate else len(data)
            piece, data = data[:size], data[size:]
            writer.write(piece)
            await writer.drain()
            self.proxy.bytes[direction] += len(piece)
            if self.faults.rate:
                await asyncio.sleep(len(piece) / self.faults.rate)

    def reset(self, both=False):
        """Ends the client's connection with RST; the server's too, or in good order."""
        set_to_reset(self.client_writer)
        if both and self.server_writer:
            set_to_reset(self.server_writer)
        self.close()

    def close(self):
        for writer in (self.client_writer, self.server_writer):
            if writer is not None:
                writer.close()


def set_to_reset(writer):
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Proxy:
    def __init__(self, to, rewrites):
        self.to, self.rewrites = to, rewrites
        self.faults = Faults()
        self.connections = set()
        self.n_connections = 0
        self.bytes = {"up": 0, "down": 0}
        self.change = asyncio.Event()

    async def changed(self):
        await self.change.wait()

    async def accept(self, reader, writer):
        connection = Connection(self, reader, writer)
        self.connections.add(connection)
        self.n_connections += 1
        try:
            await connection.run()
        finally:
            connection.close()
            self.connections.discard(connection)

    async def control(self, reader, writer):
        while line := await reader.readline():
            try:
                answer = {"ok": True, **(self.command(line.decode().split()) or {})}
            except (ValueError, TypeError) as error:
                answer = {"error": str(error)}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    def command(self, words):
        if not words:
            raise ValueError("no command")
        method = getattr(self, f"do_{words[0]}", None)
        if method is None:
            raise ValueError(f"unknown command {words[0]!r}")
        answer = method(*words[1:])
        self.change.set()
        self.change = asyncio.Event()
        return answer

    def do_pass(self):
        self.faults.clear()

    def do_cut(self, n_bytes, direction, *text):
        if direction not in ("up", "down"):
            raise ValueError("cut N up|down [TEXT]")
        self.faults.cut = (int(n_bytes), direction, " ".join(text).encode())

    def do_reset(self):
        for connection in list(self.connections):
            self.faults.strike("reset")
            connection.reset(both=True)

    def do_refuse(self):
        self.faults.refuse = True

    def do_blackhole(self):
        self.faults.blackhole = True

    def add_pending(self, verb, words):
        n = int(words[0]) if words and words[0].isdigit() else 1
        text = words[1:] if words and words[0].isdigit() else words
        self.faults.pending += [(verb, 0.0, " ".join(text).encode())] * n

    def do_drop(self, *words):
        self.add_pending("drop", words)

    def do_lose(self, *words):
        self.add_pending("lose", words)

    def do_late(self, seconds, *text):
        self.faults.pending.append(("late", float(seconds), " ".join(text).encode()))

    def do_stall(self, *words):
        n = int(words[0]) if words and words[0].isdigit() else 1
        text = words[1:] if words and words[0].isdigit() else words
        self.faults.stall = [max(n, 1), " ".join(text).encode()]

    def do_delay(self, ms):
        self.faults.delay_s = float(ms) / 1000

    def do_rate(self, n_bytes):
        self.faults.rate = int(n_bytes)

    def do_stats(self):
        return {
            "connections": self.n_connections,
            "open": len(self.connections),
            "up": self.bytes["up"],
            "down": self.bytes["down"],
            "struck": self.faults.struck,
            "waiting": len(self.faults.pending) + (self.faults.cut is not None)
            + (self.faults.stall is not None),
        }


def rewrite_pair(text):
    old, _, new = text.encode().partition(b"=")
    if not old or len(old) != len(new):
        raise argparse.ArgumentTypeError("OLD=NEW, both of one length")
    return old, new


async def serve(options):
    host, _, port = options.to.rpartition(":")
    proxy = Proxy((host, int(port)), options.rewrite)
    listener = await asyncio.start_server(proxy.accept, "127.0.0.1", options.listen)
    control = await asyncio.start_server(proxy.control, "127.0.0.1", options.control)
    ports = [s.sockets[0].getsockname()[1] for s in (listener, control)]
    print(f"listen={ports[0]} control={ports[1]}", flush=True)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    # Connections end with the process; asyncio's own end would tell of each.
    os._exit(0)


def main():
    parser = argparse.ArgumentParser(description="a TCP proxy that breaks connections on command")
    parser.add_argument("--to", required=True, metavar="HOST:PORT")
    parser.add_argument("--listen", type=int, default=0, metavar="PORT")
    parser.add_argument("--control", type=int, default=0, metavar="PORT")
    parser.add_argument("--rewrite", type=rewrite_pair, action="append", default=[],
                        metavar="OLD=NEW")
    asyncio.run(serve(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
