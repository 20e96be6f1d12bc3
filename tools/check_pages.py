#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that docs/architecture.md and docs/glossary.md say what is so: check_pages.py [ROOT].

The ladder has each folder of src/ once, above all that it may include (check_layers.py). The life
of a record has ten steps, each a function that its file defines. The glossary has each word once.
"""
import pathlib
import re
import sys

import check_layers

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[1])
NAMES_END = 55  # columns of a ladder's line with names; behind them are words
STEPS = 10


def section(text, title):
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.S | re.M)
    return found.group(1) if found else ""


def ladder_breaches(text):
    fence = re.search(r"```\n(.*?)```", section(text, "The ladder"), re.S)
    lines = [line for line in (fence.group(1) if fence else "").split("\n") if line.strip(" ─")]
    step = {}
    for height, line in enumerate(reversed(lines)):
        for name in re.findall(r"[a-z]+", line[:NAMES_END]):
            if name in step or name not in check_layers.ALLOWED:
                yield f"the ladder: '{name}' stands there twice, or is not a folder of src/"
            step[name] = height
    for name, allowed in check_layers.ALLOWED.items():
        if name not in step:
            yield f"the ladder: src/{name} is missing"
            continue
        for below in allowed.split():
            if step.get(below, -1) >= step[name]:
                yield f"the ladder: {name} may include {below}, which is not below it"


def life_breaches(text):
    rows = re.findall(r"^\| (\d+) \| `([^`]+)` \| `([^`]+)` \|", section(text, "The life of a record"), re.M)
    if [int(number) for number, _, _ in rows] != list(range(1, STEPS + 1)):
        yield f"the life of a record: it has not the steps 1 to {STEPS}"
    for number, file, function in rows:
        path = ROOT / file
        source = path.read_text() if path.is_file() else ""
        if not re.search(rf"^[a-z][^\n;]*[ *]{function}\((?:[^;{{]*)\)\n\{{", source, re.M):
            yield f"the life of a record, step {number}: {file} does not define {function}()"


def glossary_breaches(text):
    words = re.findall(r"^\| ([^|]+?) \|", text, re.M)
    seen = {"word", "---"}
    for word in words:
        if word in seen and word not in ("word", "---"):
            yield f"glossary: '{word}' stands there twice"
        seen.add(word)


def main():
    architecture = (ROOT / "docs/architecture.md").read_text()
    glossary = (ROOT / "docs/glossary.md").read_text()
    found = [*ladder_breaches(architecture), *life_breaches(architecture), *glossary_breaches(glossary)]
    print("\n".join(found + [f"pages: {len(found)} breaches"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
