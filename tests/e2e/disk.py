# SPDX-License-Identifier: Apache-2.0
"""What a program does to a directory, call by call, and what a power cut would leave of it.

`Recorder(directory)` gives the environment for a run; `calls()` what was done; `after_cut(n, ...)`
makes the directory as it may be found when the power went before call n."""
import dataclasses
import pathlib

import lib


def library():
    """The environment of all recorders."""
    return lib.preloaded("disk_calls")


@dataclasses.dataclass
class File:
    number: int  # of the call that made it; its bytes are in the store
    is_synced: bool = False


class Directory:
    def __init__(self):
        self.names = {}
        self.synced = {}  # the names that a power cut leaves


class Recorder:
    def __init__(self, env, root):
        self.root, self.library = pathlib.Path(root), env
        self.place = lib.tmp_dir()
        (self.place / "store").mkdir()

    def env(self, kill=None):
        env = {**self.library, "DISK_ROOT": str(self.root),
               "DISK_LOG": str(self.place / "log"), "DISK_STORE": str(self.place / "store")}
        return env if kill is None else {**env, "DISK_KILL": str(kill)}

    def calls(self):
        log = self.place / "log"
        return [line.split("\t") for line in log.read_text().splitlines()] if log.exists() else []

    def after_cut(self, n, names_survive):
        """Makes what was durable by the calls before n (from 1). With names_survive all names are on
        the disk, too, as of journals of metadata: files that were not synced are empty then."""
        top = Directory()
        for number, (call, path, to) in enumerate(self.calls()[:n - 1], 1):
            self.apply(top, number, call, path, to)
        self.build(top.names.get(self.root.name), self.root, names_survive)

    def parts(self, path):
        return pathlib.Path(path).relative_to(self.root.parent).parts

    def find(self, top, path):
        """(directory that holds it, its name); directory None: it is not there."""
        *parents, name = self.parts(path)
        at = top
        for part in parents:
            at = at.names.get(part) if isinstance(at, Directory) else None
        return at, name

    def apply(self, top, number, call, path, to):
        at, name = self.find(top, path)
        if at is None:
            return  # the call fails
        there = at.names.get(name)
        if call == "create" and there is None:
            at.names[name] = File(number)
        elif call == "mkdir" and there is None:
            at.names[name] = Directory()
        elif call == "write":
            there.is_synced = False
        elif call == "fsync" and isinstance(there, File):
            there.is_synced = True
        elif call == "fsync":
            there.synced = dict(there.names)
        elif call == "remove":
            at.names.pop(name, None)
        elif call == "rename":
            target, new = self.find(top, to)
            if target is not None and there is not None and new not in target.names:
                target.names[new] = at.names.pop(name)

    def build(self, node, path, names_survive):
        if isinstance(node, File):
            data = (self.place / f"store/{node.number}").read_bytes() if node.is_synced else b""
            path.write_bytes(data)
        elif node is not None:
            path.mkdir()
            for name, child in (node.names if names_survive else node.synced).items():
                self.build(child, path / name, names_survive)
