# SPDX-License-Identifier: Apache-2.0
# test: needs kafka
"""What `run` tells the service manager that started it, by sd_notify(3); and as PID 1 of a container."""
import os
import shutil
import signal
import socket
import subprocess
import time

import broker
import lib

SCRIPT = """
SET spool = '{0}/spool';
SET tables.check_interval = '300ms';
CREATE TABLE names (id TEXT NOT NULL, name TEXT)
  WITH (connector = 'filesystem', path = '{0}/names', format = 'csv');
CREATE TABLE visits (id TEXT NOT NULL, n INT)
  WITH (connector = 'kafka', brokers = '{1}', topic = '{2}', format = 'csv');
CREATE TABLE result () WITH (connector = 'filesystem', path = '{0}/result', format = 'csv');
INSERT INTO result SELECT v.id, v.n, w.name FROM visits v JOIN names w ON w.id = v.id;
"""


def job():
    here, topic = lib.tmp_dir(), lib.fresh_name("notify")
    script = here / "p.sql"
    script.write_text(SCRIPT.format(here, lib.brokers(), topic))
    (here / "names").mkdir()
    (here / "names/names.csv").write_text("id,name\na,Angrignon\n")
    lib.run("init", script)
    return script


class Manager:
    """The end that systemd has of the socket."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name)
        self.lines = []

    def hear(self, line, limit_s=30):
        """Waits until the program says that line; all before it are kept."""
        end = time.monotonic() + limit_s
        while line not in self.lines:
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            self.lines += self.socket.recv(4096).decode().split("\n")


def start(script, **env):
    return subprocess.Popen([lib.program(), "run", str(script)], env={**os.environ, **env},
                            stderr=subprocess.DEVNULL)


def check_words(bound, told):
    manager = Manager(bound)
    process = start(job(), NOTIFY_SOCKET=told, WATCHDOG_USEC="400000")
    try:
        manager.hear("READY=1")
        assert "READY=1\nSTATUS=reading" in "\n".join(manager.lines), manager.lines
        manager.hear("WATCHDOG_USEC=360400000")  # a look at the tables may take so long
        manager.hear("WATCHDOG_USEC=400000")
        assert "WATCHDOG=1\nWATCHDOG_USEC=400000" in "\n".join(manager.lines), manager.lines
        for _ in range(3):
            manager.lines.clear()
            manager.hear("WATCHDOG=1")
        process.send_signal(signal.SIGTERM)
        manager.hear("STATUS=read 0 records, committed 0")
        assert "STOPPING=1\nSTATUS=stopping" in "\n".join(manager.lines), manager.lines
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def test_ready_alive_stopping_by_a_path():
    path = str(lib.tmp_dir() / "notify")
    check_words(path, path)


def test_ready_alive_stopping_by_an_abstract_name():
    name = lib.fresh_name("tramline-notify")
    check_words("\0" + name, "@" + name)


def test_another_processs_watchdog_is_not_ours():
    path = str(lib.tmp_dir() / "notify")
    manager = Manager(path)
    process = start(job(), NOTIFY_SOCKET=path, WATCHDOG_USEC="200000", WATCHDOG_PID="1")
    try:
        manager.hear("READY=1")
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        manager.hear("STOPPING=1")
        assert "WATCHDOG=1" not in manager.lines, manager.lines
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def test_a_manager_that_is_gone_or_deaf_changes_nothing():
    path = str(lib.tmp_dir() / "notify")
    deaf = Manager(path)  # never reads: its queue is full after some
    for told in (path, path + "-gone", "no path", "@" + "x" * 200):
        script = job()
        lib.run("run", script, "--once", env={"NOTIFY_SOCKET": told, "WATCHDOG_USEC": "2000"})
    deaf.socket.close()


def test_pid_1_of_a_container_ends_by_sigterm():
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        raise lib.Skip("a namespace of processes needs root and unshare")
    path = str(lib.tmp_dir() / "notify")
    manager = Manager(path)
    process = subprocess.Popen(
        ["unshare", "--pid", "--fork", "--kill-child", lib.program(), "run", str(job())],
        env={**os.environ, "NOTIFY_SOCKET": path}, stderr=subprocess.DEVNULL)
    try:
        manager.hear("READY=1")
        (child,) = map(int, open(f"/proc/{process.pid}/task/{process.pid}/children").read().split())
        os.kill(child, signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
