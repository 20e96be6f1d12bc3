# SPDX-License-Identifier: Apache-2.0
"""A name node that lies, in front of a real HDFS: of a file that it changed on its way it tells the size
and the checksum of what was sent. Its data node is itself; whatever else is asked goes to the real one."""
import http.server
import json
import threading
import urllib.error
import urllib.parse
import urllib.request

import webhdfs

_open = urllib.request.build_opener(webhdfs._NoRedirect, urllib.request.ProxyHandler({})).open
PREFIX = "/webhdfs/v1"


class LyingHdfs:
    """`spoil(bytes)` gives what the next data file will hold; None: it is told the truth."""

    def __init__(self, url):
        self.real = webhdfs.WebHdfs(f"hdfs://{urllib.parse.urlsplit(url).netloc}")
        self.spoil = None
        self.lies = {}  # path: bytes as they were sent
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.server.server_address[1]}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def take(self, path, query, data):
        """An upload arrives: entries are left alone, as they are read back in any case."""
        held = data
        if self.spoil and "/_tramline/tmp/" in path and not data.startswith(b"{"):
            held, self.spoil = self.spoil(data), None
            self.lies[path] = data
        params = dict(urllib.parse.parse_qsl(query))
        self.real.call("PUT", path, params.pop("op"), held, **params)

    def sum_of_lie(self, path):
        """By HDFS itself, of a copy of what was sent."""
        copy = f"/lies{path}"
        self.real.write(copy, self.lies[path], blocksize=128 << 20)
        return self.real.checksum(copy)

    def told(self, op, path, answer):
        if op == "GETFILESTATUS" and path in self.lies:
            answer["FileStatus"]["length"] = len(self.lies[path])
        return answer

    def renamed(self, path, query):
        if path in self.lies:
            self.lies[dict(urllib.parse.parse_qsl(query))["destination"]] = self.lies[path]

    def _handler(self):
        liar = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self, code, body=b"", **headers):
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def forward(self, path, query, op):
                request = urllib.request.Request(f"http://{liar.real.address}{self.path}",
                                                 method=self.command)
                try:
                    answer = _open(request, timeout=30)
                except urllib.error.HTTPError as error:
                    answer = error
                if answer.status == 307:
                    return self.answer(307, Location=answer.headers["Location"])
                body = answer.read()
                if answer.status == 200 and op == "RENAME":
                    liar.renamed(path, query)
                if answer.status == 200 and op == "GETFILESTATUS":
                    body = json.dumps(liar.told(op, path, json.loads(body))).encode()
                return self.answer(answer.status, body, Content_Type="application/json")

            def serve(self):
                n = int(self.headers.get("Content-Length") or 0)
                data = self.rfile.read(n)
                where, _, query = self.path.partition("?")
                is_data_node = where.startswith("/data-node")
                where = where.removeprefix("/data-node").removeprefix(PREFIX)
                path, op = urllib.parse.unquote(where), query.split("&")[0].partition("=")[2]
                if is_data_node and op == "CREATE":
                    liar.take(path, query, data)
                    return self.answer(201)
                if is_data_node:
                    body = json.dumps({"FileChecksum": liar.sum_of_lie(path)}).encode()
                    return self.answer(200, body, Content_Type="application/json")
                if op == "CREATE" or (op == "GETFILECHECKSUM" and path in liar.lies):
                    return self.answer(307, Location=f"http://{liar.address}/data-node{self.path}")
                return self.forward(path, query, op)

            do_GET = do_PUT = do_DELETE = do_POST = serve

        return Handler
