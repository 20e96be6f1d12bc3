# SPDX-License-Identifier: Apache-2.0
"""An HTTP proxy before the Schema Registry: counts requests, and answers otherwise on command.

    with RegistryProxy() as proxy:
        proxy.answer(500)                # everything, from now on
        proxy.answer(404, b"<html>", "/schemas/ids/7")   # only paths that hold the text
        proxy.delay(3, "/schemas")       # seconds before such a request goes on
        proxy.endless("/schemas")        # a body without end
        proxy.well()                     # no faults
        proxy.down(), proxy.up()         # connections are refused, and no longer
        proxy.requests                   # ["GET /schemas/ids/7", ...] below the registry's path
"""
import http.client
import http.server
import socket
import ssl
import threading
import urllib.parse

import lib

TYPE = "application/vnd.schemaregistry.v1+json"
LIMIT_S = 30


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = LIMIT_S

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.pass_on(None)

    def do_POST(self):
        self.pass_on(self.rfile.read(int(self.headers["Content-Length"])))

    do_PUT = do_POST

    def pass_on(self, body):
        proxy = self.server.proxy
        path = self.path.removeprefix(proxy.base)
        with proxy.lock:
            proxy.requests.append(f"{self.command} {path}")
            proxy.logins.append(self.headers.get("Authorization"))
        if proxy.login and self.headers.get("Authorization") != proxy.login:
            return self.reply(401, b'{"error_code":401,"message":"Unauthorized"}')
        fault = proxy.fault if proxy.fault and proxy.fault[0] in path else (None, "pass")
        return getattr(self, fault[1])(body, *fault[2:])

    def reply(self, code, body, length=None):
        self.send_response(code)
        self.send_header("Content-Type", TYPE)
        if 300 <= code < 400:
            self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def said(self, _body, code, text):
        self.reply(code, text)

    def late(self, body, seconds):
        self.server.proxy.waker.wait(seconds)
        self.__getattribute__("pass")(body)

    def endless(self, _body):
        self.reply(200, b'{"schema":"', 1 << 40)
        try:
            while not self.server.proxy.waker.is_set():
                self.wfile.write(b"x" * (1 << 20))
        except OSError:
            pass
        self.close_connection = True

    def _pass(self, body):
        target = self.server.proxy.target
        upstream = http.client.HTTPConnection(target.hostname, target.port, timeout=LIMIT_S)
        headers = {"Content-Type": TYPE} if body is not None else {}
        try:
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            self.reply(answer.status, answer.read())
        finally:
            upstream.close()


setattr(Handler, "pass", Handler._pass)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, *args):
        super().__init__(*args)
        self.open = set()

    def process_request(self, request, client_address):
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.open.discard(request)
        super().shutdown_request(request)

    def end_connections(self):
        for request in list(self.open):
            try:
                request.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def handle_error(self, *_):
        pass  # clients that go away


class RegistryProxy:
    def __init__(self, certificate=None, login=None):
        """certificate: (PEM of certificate and key): speaks TLS; login: the Authorization that
        is wanted, else 401."""
        self.target = urllib.parse.urlsplit(lib.registry_url())
        self.base = self.target.path
        self.certificate, self.login = certificate, login
        self.requests, self.logins, self.fault = [], [], None
        self.lock, self.waker = threading.Lock(), threading.Event()
        self.port, self.server = 0, None
        self.up()

    @property
    def url(self):
        scheme = "https" if self.certificate else "http"
        return f"{scheme}://127.0.0.1:{self.port}{self.base}"

    def up(self):
        self.server = Server(("127.0.0.1", self.port), Handler)
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.server.proxy = self
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def down(self):
        self.server.shutdown()
        self.server.end_connections()
        self.server.server_close()

    def answer(self, code, body=b"", path=""):
        self.fault = (path, "said", code, body)

    def delay(self, seconds, path=""):
        self.waker.clear()
        self.fault = (path, "late", seconds)

    def endless(self, path=""):
        self.waker.clear()
        self.fault = (path, "endless")

    def well(self):
        self.fault = None
        self.waker.set()

    def count(self, request):
        return self.requests.count(request)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.waker.set()
        self.down()
