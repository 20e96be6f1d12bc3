# SPDX-License-Identifier: Apache-2.0
# test: needs kafka hdfs
# test: quick
# test: not-asan it has programs of its own
# test: builds asan all
"""The whole job on real servers under what watches each access to memory: the build with address
and undefined behaviour sanitizers, and valgrind (--long). An error, or a leak, ends a command with
an exit code that none of its own has."""
import os
import shlex
import signal

import broker
import job
import lib
import oracle
import results

ERROR = 99
TRIPS = """route_id,service_id,trip_id,trip_headsign,direction_id,shape_id
1,S1,T1,Angrignon,0,11
2,S1,T2,"Honoré-Beaugrand, est",1,
"""
DATES = "service_id,date,exception_type\nS1,20261122,2\nS1,20261123,2\n"
FREQUENCIES = "trip_id,start_time,end_time,headway_secs\nT1,05:00:00,09:00:00,180\n"
STOP_TIMES = "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n" + "".join(
    f"T{1 + i % 2},8:{i % 60:02}:00,8:{i % 60:02}:30,\"stop, {i}\",{i}\n" for i in range(500))
BAD = ["T1,1,1,a,1\nT1,1,1,b,2", "T1,1", "T1,1,1,a,x", ",1,1,a,1", "T1,1,1,\"a,1", ""]


def feed():
    directory = lib.tmp_dir()
    for name, text in (("trips", TRIPS), ("calendar_dates", DATES), ("frequencies", FREQUENCIES),
                       ("stop_times", STOP_TIMES)):
        (directory / f"{name}.txt").write_text(text)
    return directory


def whole_job(limit_s, wait_s):
    """Every command of the job; a worker that is stopped, then one that ends by itself."""
    work, directory = job.Job(
        lib.hdfs_url(), {"commit.interval": "300ms", "on_error.share": "100%"}), feed()
    work.tramline("init", limit_s=limit_s)
    work.tramline("extract", before=[directory], limit_s=limit_s)
    work.produce(directory, limit_s=limit_s)
    expected = oracle.expected_rows(directory)
    worker = work.start()
    lib.wait_until(lambda: work.rows().total() >= expected.total() // 2, wait_s, "rows")
    worker.signal(signal.SIGTERM)
    worker.wait(limit_s)
    broker.produce(work.topic, BAD)
    work.run_once(limit_s=limit_s)
    results.same_rows(work.rows(), expected)
    assert len(results.dead_letters(work.result)) == len(BAD)
    report = work.verify(limit_s=limit_s)
    assert (report["errors"], report["rejected"]) == (0, len(BAD)), report
    for command, *args in (("explain",), ("check", "--live"), ("cat", "enriched_stop_time"),
                           ("cat", "enriched_stop_time", "--dead"), ("init", "--reset", "--yes")):
        work.tramline(command, *args, limit_s=limit_s)


def with_program(command, env, limit_s, wait_s):
    """The job by a program of this command, which is put into a script of its own."""
    script = lib.tmp_dir() / "tramline"
    sets = " ".join(f"{name}={shlex.quote(value)}" for name, value in env.items())
    script.write_text(f'#!/bin/sh\n{sets} exec {shlex.join(command)} "$@"\n')
    script.chmod(0o755)
    before = os.environ.get("TRAMLINE_BIN")
    os.environ["TRAMLINE_BIN"] = str(script)
    try:
        whole_job(limit_s, wait_s)
    finally:
        os.environ.pop("TRAMLINE_BIN")
        if before is not None:
            os.environ["TRAMLINE_BIN"] = before


def test_with_sanitizers():
    program = lib.ROOT / "build/asan/tramline"
    if not program.exists():
        raise AssertionError(f"no program {program}; ./dev build asan makes it")
    env = {"ASAN_OPTIONS": f"exitcode={ERROR}:detect_leaks=1:detect_stack_use_after_return=1",
           "UBSAN_OPTIONS": f"exitcode={ERROR}:halt_on_error=1:print_stacktrace=1"}
    with_program([str(program)], env, limit_s=60, wait_s=30)


@lib.only_long
def test_with_valgrind():
    command = ["valgrind", "-q", f"--error-exitcode={ERROR}", "--leak-check=full",
               "--errors-for-leak-kinds=definite", "--num-callers=30", lib.program()]
    with_program(command, {}, limit_s=400, wait_s=400)
