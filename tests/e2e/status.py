# SPDX-License-Identifier: Apache-2.0
"""Asks a status server, by sockets and urllib."""
import json
import re
import socket
import urllib.error
import urllib.request

import lib

SAMPLE = re.compile(r'(?P<name>[a-zA-Z_:][\w:]*)(\{(?P<labels>.*)\})? (?P<value>\S+)')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
LISTEN = {"status.listen": "127.0.0.1:0"}


def url_of(run):
    """The address that a lib.Started names in its log."""
    return lib.wait_until(lambda: re.search(r"status: (http://\S+/)", run.text()), 30, "the status server")[1]


def ask(url, method="GET", headers=None, data=None):
    """(code, headers, text), whatever the code."""
    request = urllib.request.Request(url, data, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, dict(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read().decode()


def state(url):
    told = json.loads(ask(f"{url}status.json")[2])
    lib.check_value(lib.schema_of("top"), told)
    return told


def wait_read(run, n):
    """The lib.Started has read so many records."""
    url = url_of(run)
    lib.wait_until(lambda: sum(state(url)["records"].values()) == n, 60, "the records")


def metrics(url, headers=None):
    """{(name, (label, value), ...): number}."""
    text = ask(f"{url}metrics", headers=headers)[2]
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        key = (match["name"], *LABEL.findall(match["labels"] or ""))
        assert key not in found, key
        found[key] = float(match["value"])
    return found


def raw(url, sent, limit_s=20):
    """What comes back for these bytes until the server closes."""
    host, port = url.split("/")[2].rsplit(":", 1)
    with socket.create_connection((host, int(port)), limit_s) as connection:
        connection.settimeout(limit_s)
        got = b""
        try:
            connection.sendall(sent)
            while more := connection.recv(1 << 16):
                got += more
        except ConnectionError:
            pass
    return got
