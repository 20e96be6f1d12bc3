# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: not-asan it does not run the program
"""Each fault of tools/fault_proxy.py does what it says, before a server that echoes lines."""
import socket
import socketserver
import threading
import time

import lib


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            for line in self.rfile:
                self.server.seen.append(line)
                self.wfile.write(b"echo " + line)
        except ConnectionError:
            pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Echo)
        self.seen = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


def start(rewrites=()):
    server = Server()
    return server, lib.FaultProxy(f"127.0.0.1:{server.server_address[1]}", rewrites=rewrites)


def connect(proxy, limit_s=5):
    return socket.create_connection(("127.0.0.1", proxy.port), limit_s)


def read_to_end(client):
    """What comes until the end, and whether the end was a reset."""
    data = b""
    try:
        while piece := client.recv(65536):
            data += piece
    except ConnectionResetError:
        return data, True
    return data, False


def is_refused(proxy):
    """Reset at once: the client may see it while it connects, or when it reads."""
    try:
        return read_to_end(connect(proxy)) == (b"", True)
    except ConnectionResetError:
        return True


def is_silent(client, limit_s=0.3):
    client.settimeout(limit_s)
    try:
        client.recv(1)
        return False
    except TimeoutError:
        client.settimeout(5)
        return True


def test_passes_data_and_the_end():
    _, proxy = start()
    client = connect(proxy)
    client.sendall(b"one\ntwo\n")
    client.shutdown(socket.SHUT_WR)
    assert read_to_end(client) == (b"echo one\necho two\n", False)
    assert proxy.stats()["up"] == 8


def test_cut_up_gives_the_server_that_many_bytes():
    server, proxy = start()
    proxy.do("cut 6 up")
    client = connect(proxy)
    client.sendall(b"one\ntwo\nthree\n")
    _, was_reset = read_to_end(client)
    assert was_reset
    lib.wait_until(lambda: server.seen == [b"one\n", b"tw"], 5, "the cut line")
    assert proxy.stats()["struck"] == {"cut": 1}


def test_cut_with_a_text_counts_from_behind_it():
    server, proxy = start()
    proxy.do("cut 3 up op=CREATE")
    client = connect(proxy)
    client.sendall(b"op=LIST\n")
    assert client.recv(100) == b"echo op=LIST\n"
    client.sendall(b"op=CREATE 12345\n")
    assert read_to_end(client)[1]
    lib.wait_until(lambda: server.seen == [b"op=LIST\n", b"op=CREATE 12"], 5, "the cut line")


def test_cut_down_gives_the_client_that_many_bytes():
    _, proxy = start()
    proxy.do("cut 7 down")
    client = connect(proxy)
    client.sendall(b"one\n")
    assert read_to_end(client) == (b"echo on", False)


def test_drop_does_it_and_loses_the_answer():
    server, proxy = start()
    proxy.do("drop RENAME")
    client = connect(proxy)
    client.sendall(b"LIST\n")
    assert client.recv(100) == b"echo LIST\n"
    client.sendall(b"RENAME\n")
    assert read_to_end(client) == (b"", True)
    assert server.seen == [b"LIST\n", b"RENAME\n"]


def test_lose_does_not_do_it():
    server, proxy = start()
    proxy.do("lose 2 RENAME")
    for _ in range(2):
        client = connect(proxy)
        client.sendall(b"RENAME\n")
        assert read_to_end(client) == (b"", True)
    client = connect(proxy)
    client.sendall(b"RENAME\n")
    assert client.recv(100) == b"echo RENAME\n"
    assert server.seen == [b"RENAME\n"]


def test_late_does_it_after_the_client_gave_up():
    server, proxy = start()
    proxy.do("late 0.5 RENAME")
    client = connect(proxy)
    client.sendall(b"RENAME\n")
    assert is_silent(client, 0.1)
    client.close()
    assert server.seen == []
    lib.wait_until(lambda: server.seen == [b"RENAME\n"], 5, "the late request")


def test_blackhole_holds_until_pass():
    server, proxy = start()
    old = connect(proxy)
    old.sendall(b"one\n")
    assert old.recv(100) == b"echo one\n"
    proxy.do("blackhole")
    new = connect(proxy)
    for client in (old, new):
        client.sendall(b"two\n")
        assert is_silent(client)
    assert server.seen == [b"one\n"]
    proxy.do("pass")
    for client in (old, new):
        assert client.recv(100) == b"echo two\n"


def test_stall_holds_from_the_nth_request_with_the_text():
    server, proxy = start()
    old = connect(proxy)
    proxy.do("stall 2 RENAME")
    for line in (b"one\n", b"RENAME\n", b"three\n"):
        old.sendall(line)
        assert old.recv(100) == b"echo " + line
    assert proxy.stats()["struck"] == {} and proxy.stats()["waiting"] == 1
    old.sendall(b"REN")
    time.sleep(0.1)
    old.sendall(b"AME again\n")
    assert is_silent(old)
    stats = proxy.stats()  # what stalls is held as by a blackhole
    assert stats["struck"] == {"stall": 1, "blackhole": 1} and stats["waiting"] == 0, stats
    new = connect(proxy)
    new.sendall(b"new\n")
    assert is_silent(new)
    proxy.do("pass")
    assert old.recv(100) == b"echo RENAME again\n"
    assert new.recv(100) == b"echo new\n"


def test_refuse_and_reset():
    _, proxy = start()
    old = connect(proxy)
    old.sendall(b"one\n")
    assert old.recv(100) == b"echo one\n"
    proxy.do("refuse")
    assert is_refused(proxy)
    proxy.do("reset")
    assert read_to_end(old) == (b"", True)


def test_delay_and_rate():
    _, proxy = start()
    client = connect(proxy)
    proxy.do("delay 100")
    began = time.monotonic()
    client.sendall(b"one\n")
    assert client.recv(100) == b"echo one\n"
    assert time.monotonic() - began >= 0.2
    proxy.do("pass")
    proxy.do("rate 20000")
    began = time.monotonic()
    client.sendall(b"x" * 9999 + b"\n")
    client.shutdown(socket.SHUT_WR)
    assert len(read_to_end(client)[0]) == 10005
    assert time.monotonic() - began >= 0.4


def test_rewrite_changes_answers():
    _, proxy = start(rewrites=[("//host:11111/", "//host:22222/")])
    client = connect(proxy)
    client.sendall(b"Location: http://host:11111/x\n")
    assert client.recv(100) == b"echo Location: http://host:22222/x\n"


def test_wrong_commands_are_told():
    _, proxy = start()
    for command in ("nonsense", "cut 5", "cut x up", "delay", "cut 5 sideways"):
        try:
            proxy.do(command)
        except ValueError:
            continue
        raise AssertionError(f"{command!r} was taken")
    assert proxy.stats()["ok"]
