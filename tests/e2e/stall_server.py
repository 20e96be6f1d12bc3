# SPDX-License-Identifier: Apache-2.0
"""A server on 127.0.0.1 that stalls at a chosen point, and tells when a client has come so far."""
import socket
import threading

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\n"


class StallServer:
    """`where`: 'connect' (no connection comes about), 'silent' (no answer), 'head' (headers a byte at a
    time), 'body' (a body a byte at a time, after `front`), 'before SECONDS' as 'silent'."""

    def __init__(self, where, front=b""):
        self.where, self.front = where, front
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=0 if where == "connect" else 20)
        self.port = self.socket.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.asked = threading.Event()
        self.over = threading.Event()
        self.held = []
        if where == "connect":
            self.fill()
        else:
            threading.Thread(target=self.serve, daemon=True).start()

    def fill(self):
        """The queue of connections is full: another one waits for an answer."""
        for _ in range(3):
            other = socket.socket()
            other.setblocking(False)
            other.connect_ex(("127.0.0.1", self.port))
            self.held.append(other)

    def is_reached(self):
        """Whether a client waits for what does not come."""
        if self.where != "connect":
            return self.asked.is_set()
        ours = {other.getsockname()[1] for other in self.held}
        with open("/proc/net/tcp", encoding="ascii") as table:
            lines = [line.split() for line in table.readlines()[1:]]
        return any(words[3] == "02" and words[2].endswith(f":{self.port:04X}")
                   and int(words[1].rpartition(":")[2], 16) not in ours for words in lines)

    def serve(self):
        while not self.over.is_set():
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            self.held.append(client)
            threading.Thread(target=self.stall, args=[client], daemon=True).start()

    def stall(self, client):
        try:
            while b"\r\n\r\n" not in client.recv(65536):
                if self.where == "silent":
                    self.asked.set()
            if self.where == "head":
                self.drip(client, HEAD + b"X-Long: ")
            elif self.where == "body":
                self.drip(client, HEAD + b"Content-Length: 1000000000\r\n\r\n" + self.front)
            self.asked.set()
        except OSError:
            self.asked.set()

    def drip(self, client, front):
        client.sendall(front)
        while not self.over.wait(0.2):
            client.sendall(b"x")
            self.asked.set()

    def close(self):
        self.over.set()
        self.socket.close()
        for client in self.held:
            client.close()
