# SPDX-License-Identifier: Apache-2.0
"""What pytest adds to the cases of a file: which of them run, a line at the begin and the end of each as
cmocka prints them (tools/case_log.py reads both), and an end by SIGTERM that stops their servers."""
import os
import pathlib
import signal
import traceback

import pytest

import lib


def pytest_configure(config):
    def end(number, frame):
        """Once: "finally" and what is registered by atexit follow."""
        signal.signal(number, signal.SIG_IGN)
        for at in reversed(traceback.extract_stack(frame)):
            name = pathlib.Path(at.filename).name
            if name.startswith("test_"):
                say(f"Interrupt: {name}:{at.lineno}: {at.line}")
                break
        config.pluginmanager.unregister(name="terminalreporter")
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)


def runs(case):
    return (os.environ.get("TEST_CASE", "") in case.__name__
            and (lib.is_long() or not hasattr(case, "only_long"))
            and not (lib.is_checked() and hasattr(case, "not_checked")))


def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if not runs(item.function)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if runs(item.function)]


@pytest.hookimpl(hookwrapper=True)
def pytest_pyfunc_call():
    outcome = yield
    if outcome.excinfo and issubclass(outcome.excinfo[0], lib.Skip):
        pytest.skip(str(outcome.excinfo[1]))


def say(*words):
    print(*words, flush=True)


def pytest_runtest_logstart(location):
    say("[ RUN      ]", location[2])


def pytest_runtest_logreport(report):
    name = report.location[2]
    if report.failed:
        say(report.longreprtext)
        say("[  FAILED  ]", name)
    elif report.skipped:
        say("[ SKIPPED  ]", name, report.longrepr[2].removeprefix("Skipped: "))
    elif report.when == "call":
        say("[    OK    ]", name)


def pytest_report_teststatus(report):
    """What is counted at the end; no letters, as the lines above tell it."""
    return "" if report.passed and report.when != "call" else report.outcome, "", ""


def pytest_collectreport(report):
    if report.failed:
        say(report.longreprtext)
