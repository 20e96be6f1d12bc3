# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: not-asan it looks at the release build
"""The built program has what makes a fault of memory a crash, and no more than that."""
import os
import pathlib
import platform
import re
import resource
import subprocess
import time

import lib

X86 = platform.machine() in ("x86_64", "i686")


def output(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=120, check=True).stdout


def readelf(*flags):
    return output("readelf", "-W", *flags, lib.program())


def imported():
    """Names of functions that the program takes from libraries."""
    lines = readelf("--dyn-syms").splitlines()
    words = [line.split() for line in lines if " UND " in line]
    return {w[7].split("@")[0] for w in words if len(w) > 7 and w[3] in ("FUNC", "NOTYPE")}


def test_it_is_loaded_anywhere():
    assert re.search(r"Type: +DYN \(Position-Independent Executable file\)", readelf("-h"))
    dynamic = readelf("-d")
    assert "TEXTREL" not in dynamic, dynamic


def test_what_the_linker_fills_in_is_read_only():
    assert "GNU_RELRO" in readelf("-l")
    dynamic = readelf("-d")
    assert re.search(r"FLAGS_1.*\bNOW\b", dynamic) and re.search(r"FLAGS_1.*\bPIE\b", dynamic), dynamic


def test_no_page_is_written_and_executed():
    segments = [line.split() for line in readelf("-l").splitlines()]
    rights = {words[0]: words[6:-1] for words in segments
              if words and words[0] in ("LOAD", "GNU_STACK") and len(words) > 7}
    assert rights["GNU_STACK"] and "E" not in "".join(rights["GNU_STACK"]), rights
    for words in segments:
        if words and words[0] == "LOAD":
            assert not {"W", "E"} <= set("".join(words[6:-1])), words


def test_libraries_come_from_the_system_only():
    dynamic = readelf("-d")
    assert "RPATH" not in dynamic and "RUNPATH" not in dynamic, dynamic


def test_stacks_are_guarded():
    assert "__stack_chk_fail" in imported()


def test_calls_of_the_c_library_know_their_buffers():
    checked = {name for name in imported() if name.endswith("_chk")}
    assert {"__snprintf_chk", "__vsnprintf_chk"} <= checked, checked
    plain = {"sprintf", "vsprintf", "strcpy", "strcat", "gets"} & imported()
    assert not plain, plain


def test_jumps_land_where_they_may():
    if not X86:
        raise lib.Skip("of x86 only")
    code = output("objdump", "-d", "--no-show-raw-insn", "--disassemble=avro_plan_run", lib.program())
    assert re.search(r"<avro_plan_run>:\n[^\n]*endbr64", code), code[:2000]


def test_large_frames_touch_each_page():
    if not X86:
        raise lib.Skip("of x86 only")
    code = output("objdump", "-d", "--no-show-raw-insn", "--disassemble=err_context", lib.program())
    assert re.search(r"orq +\$0x0,", code), code[:2000]


def core_limit(**env):
    """The soft limit of a core's size, of a program that waits for its script."""
    fifo = lib.tmp_dir() / "p.sql"
    os.mkfifo(fifo)
    process = subprocess.Popen([lib.program(), "check", fifo], env={**os.environ, **env},
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (4096, 4096)))
    try:
        time.sleep(0.5)
        text = pathlib.Path(f"/proc/{process.pid}/limits").read_text()
    finally:
        process.kill()
        process.wait()
    return int(re.search(r"Max core file size +(\d+)", text)[1])


def test_no_core_is_written():
    assert core_limit() == 1, "0 does not hold where a program takes cores"
    assert core_limit(TRAMLINE_CORE="1") == 4096
