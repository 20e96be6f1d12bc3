# SPDX-License-Identifier: Apache-2.0
"""The program on a terminal: what it shows there."""
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios

import lib


def shown(args, cwd, width=80, env=None, unset=()):
    """What the program writes to a terminal, stdout and stderr, as it is."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    environ = {**os.environ, "TERM": "xterm", "HOME": str(cwd), **(env or {})}
    for name in ("NO_COLOR", *unset):
        if name not in (env or {}):
            environ.pop(name, None)
    process = subprocess.Popen([lib.program(), *args], cwd=cwd, stdin=subprocess.DEVNULL,
                               stdout=theirs, stderr=theirs, env=environ)
    os.close(theirs)
    text = b""
    while True:
        try:
            piece = os.read(ours, 1 << 16) if select.select([ours], [], [], 60)[0] else b""
        except OSError:
            break
        if not piece:
            break
        text += piece
    process.wait(60)
    os.close(ours)
    return text.decode().replace("\r\n", "\n")
