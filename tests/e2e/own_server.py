# SPDX-License-Identifier: Apache-2.0
"""A server that is a process of a test's own, and ends with the test."""
import atexit
import os
import signal
import subprocess

import lib


class OwnServer:
    """Its folder, its log, its process."""

    def __init__(self, name):
        self.name, self.dir, self.process = name, lib.tmp_dir(), None
        self.log = self.dir / "log"

    def launch(self, command, env=None):
        """Its log begins anew, as what it says is waited for."""
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*map(str, command)], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, cwd=self.dir, env={**os.environ, **(env or {})})
        atexit.register(self.kill)

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def says(self, text):
        return text in self.log.read_text(errors="replace")

    def wait(self, question, limit_s=120):
        """Until the question is answered with something true; fails when the server ended."""
        def ask():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended: {self.log.read_text()[-3000:]}")
            try:
                return question()
            except OSError:
                return False
        return lib.wait_until(ask, limit_s, f"{self.name}; its log: {self.log}")
