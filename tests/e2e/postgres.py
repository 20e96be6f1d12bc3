# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL of the test's own, on a unix socket, and its client library by ctypes.

The server runs as this user, or as the package's user when this is root, with text compared as
bytes (C collation); it ends with the test.
"""
import atexit
import ctypes
import ctypes.util
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

import lib

START_LIMIT_S = 60
SOCKET_PATH_MAX = 107 - len("/.s.PGSQL.5432.lock")
CONNECTION_OK, COMMAND_OK, TUPLES_OK = 0, 1, 2
TYPES = {16: "BOOLEAN", 20: "BIGINT", 23: "INT", 25: "TEXT", 701: "REAL", 1700: "NUMERIC"}


class Failed(Exception):
    """An error of PostgreSQL: its text, and SQLSTATE in `code`."""

    def __init__(self, text, code):
        super().__init__(text)
        self.code = code


def programs():
    """The folder of initdb and postgres."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        raise AssertionError("no PostgreSQL: apt-get install postgresql")
    return found[-1].parent


def owner():
    """Whom the server runs as: it refuses root."""
    return "postgres" if os.getuid() == 0 else None


def place():
    """A new directory that the server's user can reach and whose path fits a socket's name."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="pg"))
    reachable = all(p.stat().st_mode & 0o001 for p in path.parents)
    if (owner() and not reachable) or len(str(path)) > SOCKET_PATH_MAX:
        path = pathlib.Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        atexit.register(shutil.rmtree, path, ignore_errors=True)
    if owner():
        user = pwd.getpwnam(owner())
        os.chown(path, user.pw_uid, user.pw_gid)
    return path


def _client():
    pq = ctypes.CDLL(ctypes.util.find_library("pq") or "libpq.so.5")
    for name in ("PQconnectdb", "PQexec"):
        getattr(pq, name).restype = ctypes.c_void_p
    for name in ("PQerrorMessage", "PQresultErrorField", "PQfname"):
        getattr(pq, name).restype = ctypes.c_char_p
    pq.PQgetvalue.restype = ctypes.c_void_p
    return pq


class Server:
    """Started and empty; query() talks to it."""

    def __init__(self):
        self.dir = place()
        self.pq = _client()
        self.as_user = {"user": owner(), "group": owner(), "extra_groups": []} if owner() else {}
        self.process = None
        atexit.register(self.stop)
        self.tool("initdb", "-D", self.dir / "data", "-U", "test", "-A", "trust", "-E", "UTF8",
                  "--locale=C", "--no-sync", "--no-instructions")
        self.start()
        lib.wait_until(self.connect, START_LIMIT_S, "PostgreSQL")
        self.query("SET statement_timeout = '10s'; SET client_min_messages = 'error'")

    def tool(self, name, *args):
        done = subprocess.run([programs() / name, *args], cwd=self.dir, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=START_LIMIT_S,
                              **self.as_user)
        assert done.returncode == 0, f"{name}: {done.stderr}"

    def start(self):
        settings = {"listen_addresses": "", "unix_socket_directories": self.dir, "fsync": "off",
                    "autovacuum": "off", "jit": "off", "max_connections": 5,
                    "shared_buffers": "16MB", "max_wal_senders": 0, "wal_level": "minimal",
                    "dynamic_shared_memory_type": "mmap", "log_min_messages": "fatal",
                    "log_min_error_statement": "panic"}
        command = [programs() / "postgres", "-D", self.dir / "data"]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with open(self.dir / "log", "wb") as log:
            self.process = subprocess.Popen(command, cwd=self.dir, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, **self.as_user)

    def connect(self):
        assert self.process.poll() is None, "PostgreSQL ended"
        address = f"host={self.dir} user=test dbname=postgres client_encoding=UTF8"
        connection = ctypes.c_void_p(self.pq.PQconnectdb(address.encode()))
        if self.pq.PQstatus(connection) == CONNECTION_OK:
            self.connection = connection
            return True
        self.pq.PQfinish(connection)
        return False

    def query(self, sql):
        """The columns as (name, type) and the rows, values as text or None."""
        result = ctypes.c_void_p(self.pq.PQexec(self.connection, sql.encode()))
        try:
            status = self.pq.PQresultStatus(result)
            if status not in (COMMAND_OK, TUPLES_OK):
                code = self.pq.PQresultErrorField(result, ord("C")) or b""
                text = self.pq.PQerrorMessage(self.connection).decode(errors="replace")
                raise Failed(text.strip(), code.decode())
            n = self.pq.PQnfields(result)
            columns = [(self.pq.PQfname(result, i).decode(),
                        TYPES.get(self.pq.PQftype(result, i), "?")) for i in range(n)]
            return columns, [[self._value(result, row, i) for i in range(n)]
                             for row in range(self.pq.PQntuples(result))]
        finally:
            self.pq.PQclear(result)

    def _value(self, result, row, column):
        if self.pq.PQgetisnull(result, row, column):
            return None
        size = self.pq.PQgetlength(result, row, column)
        return ctypes.string_at(self.pq.PQgetvalue(result, row, column), size).decode()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)  # ends at once, whoever is connected
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
