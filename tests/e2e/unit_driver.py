# SPDX-License-Identifier: Apache-2.0
"""A driver between `tramline coordinate` and processes `tramline work`: it passes lines on, and kills."""
import collections
import json
import os
import queue
import random
import signal
import subprocess
import threading
import time

import lib


class Process:
    """One whose lines come to `queue` as (process, line), None at its end."""

    def __init__(self, lines, *args):
        self.process = subprocess.Popen([lib.program(), *map(str, args)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.lines, self.order, self.err = lines, None, b""
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.reader.start()
        self.listener.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put((self, line))
        self.process.wait()
        self.listener.join()
        self.lines.put((self, None))

    def _listen(self):
        for line in self.process.stderr:
            self.err += line

    def send(self, line):
        try:
            self.process.stdin.write(line)
            self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            pass  # it has just been killed: its end says so

    def kill(self):
        self.process.send_signal(signal.SIGKILL)

    def end(self, limit_s=60):
        """Its exit code, once it has seen that its input ends."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            return self.process.wait(limit_s)
        finally:
            if self.process.poll() is None:
                self.process.kill()


class Driver:
    def __init__(self, script, sets=(), options=(), n_workers=3, seed=None):
        self.random = random.Random(seed if seed is not None else time.time_ns())
        self.command, self.options, self.n_workers = [script, *sets], options, n_workers
        self.lines, self.waiting = queue.Queue(), collections.deque()
        self.workers, self.n_orders, self.n_killed, self.commits = [], 0, 0, []
        self.coordinator = None
        self.kept = None  # an answer that is to come late

    def start(self):
        self.coordinator = Process(self.lines, "coordinate", *self.command, "--once", *self.options)
        while len(self.workers) < self.n_workers:
            self.workers.append(Process(self.lines, "work", *self.command))

    def give(self):
        for worker in self.workers:
            if worker.order is None and self.waiting:
                worker.order, line = self.waiting.popleft()
                worker.send(line)

    def lost(self, order):
        self.coordinator.send(json.dumps({"v": 1, "kind": "lost", "order": order}).encode() + b"\n")

    def take_end(self, process):
        """A worker ended, by a kill: another one takes its place."""
        self.workers.remove(process)
        if process.order is not None:
            self.lost(process.order)
        self.workers.append(Process(self.lines, "work", *self.command))

    def take_answer(self, worker, line):
        worker.order = None
        dice = self.random.random()
        if dice < 0.1 and json.loads(line)["kind"] == "unit":
            self.kept = line  # lost on its way, or so it seems
            self.lost(json.loads(line)["order"])
            return
        self.coordinator.send(line)
        if dice > 0.9:
            self.coordinator.send(line)
        if self.kept and dice > 0.7:
            self.coordinator.send(self.kept)
            self.kept = None

    def take(self, process, line):
        """Whether it goes on."""
        if line is None and process is self.coordinator:
            return False
        if line is None:
            if process in self.workers:
                self.take_end(process)
        elif process is self.coordinator:
            told = json.loads(line)
            if told["kind"] == "order":
                self.n_orders += 1
                self.waiting.append((told["order"], line))
            elif told["kind"] == "commit":
                self.commits.append(told)
        elif process in self.workers:
            self.take_answer(process, line)
        return True

    def run(self, kill_every_s=None, coordinator_kills=(), limit_s=150):
        """Until the coordinator has ended; kills it after so many commits."""
        self.start()
        kills, deadline = list(coordinator_kills), time.monotonic() + limit_s
        next_kill = time.monotonic() + (kill_every_s or limit_s * 2)
        while time.monotonic() < deadline:
            try:
                if not self.take(*self.lines.get(timeout=0.05)):
                    if self.coordinator.process.returncode != -signal.SIGKILL:
                        return self.finish()
                    self.waiting.clear()
                    self.start()
            except queue.Empty:
                pass
            self.give()
            if kills and len(self.commits) >= kills[0]:
                kills.pop(0)
                self.coordinator.kill()
            if time.monotonic() > next_kill:
                next_kill = time.monotonic() + self.random.random() * 2 * kill_every_s
                self.random.choice(self.workers).kill()
                self.n_killed += 1
        self.finish()
        raise AssertionError(f"not at an end after {limit_s} s: {self.coordinator.err.decode()}")

    def finish(self):
        code = self.coordinator.end()
        for worker in self.workers:
            worker.end()
        print(f"{self.n_orders} orders, {len(self.commits)} commits, {self.n_killed} workers killed", flush=True)
        return code
