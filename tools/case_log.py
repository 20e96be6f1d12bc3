# SPDX-License-Identifier: Apache-2.0
"""What the log of a test says: its cases, as cmocka and tests/e2e/lib.py print them, and why they failed."""
import re

LINES_OF_A_CASE = 60
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|: runtime error: ")
MARK = re.compile(r"\[ +(RUN|OK|FAILED|SKIPPED|ERROR) +\] ([a-zA-Z_]\w*)(?: (.*))?$")
# A Python exception's first line; cmocka's two of an assertion of C, the text and the place.
EXCEPTION = re.compile(r"(?:E +)?((?:\w+\.)*\w*(?:Error|Exception|Interrupt|Exit|Expired)\b.*)")
PLACE = re.compile(r"\[ +LINE +\] --- (\S+:\d+): error: ")


class Case:
    """`word` is OK, FAILED, ERROR or SKIPPED, or RUN of one that never ended."""

    def __init__(self, name):
        self.name, self.word, self.reason, self.lines = name, "RUN", "", []

    @property
    def failed(self):
        return self.word in ("FAILED", "ERROR")


def cases_of(text):
    """The cases in their order. A failed or skipped one stands again in the list at cmocka's end; a C
    case prints "skipped: REASON" before it is skipped."""
    cases, current, between, said = {}, None, [], ""
    for line in text.splitlines():
        said = line.partition("skipped: ")[2] if line.startswith("skipped: ") else said
        found = MARK.match(line)
        if not found:
            (current.lines if current else between).append(line)
            continue
        word, name, reason = found.groups()
        case = cases.setdefault(name, Case(name))
        if word == "RUN":
            current, between = case, []
            case.lines.append(line)
            continue
        if case.word == "RUN":
            case.lines += [line] if case is current else between + [line]
            case.word = word
            case.reason = reason or said or "no reason given"
        current, between = None, []
    return list(cases.values())


def cut(lines, n=LINES_OF_A_CASE):
    """The first line and the end of what is too long."""
    return lines if len(lines) <= n else [lines[0], f"... {len(lines) - n} lines", *lines[1 - n:]]


def why(case):
    """One line: what a case that failed says at its end."""
    lines = [line.strip() for line in case.lines if line.strip() and not MARK.match(line)]
    for before, line in reversed(list(zip(["", *lines], lines))):
        if exception := EXCEPTION.match(line):
            return exception[1][:300]
        if place := PLACE.match(line):
            return f"{place[1]}: {before.removeprefix('[  ERROR   ] --- ')[:300]}"
    return lines[-1][:300] if lines else "said nothing"


def failed_lines(text, n=LINES_OF_A_CASE):
    """Of the log of a test that failed what tells why: a sanitizer's report from its beginning, each
    failed case, the case in which it ended; where there is none of them the end."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if SANITIZER.search(line):
            return lines[max(0, number - 2):][:n]
    told = [case for case in cases_of(text) if case.failed or case.word == "RUN"]
    return [line for case in told for line in cut(case.lines, n)] or lines[-n:]


def failures(text, note):
    """[(case or "", why)] of a test that failed; `note` is how its program ended."""
    cases = cases_of(text)
    found = [(case.name, why(case)) for case in cases if case.failed]
    found += [(case.name, f"{note}: {why(case)}") for case in cases if case.word == "RUN"]
    if not found:
        whole = Case("")
        whole.lines = text.splitlines()
        found = [("", f"{note}: {why(whole)}" if text.strip() else note)]
    return found
