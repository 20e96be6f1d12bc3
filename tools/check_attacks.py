#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the tables of attacks in docs/limits.md: each row is of a known kind, says what is said, and
names a case of a test that exists. Their costs are measured by `./dev bench attacks`."""
import functools
import re
import sys

import attack_table

CASE = {".c": r"^static void test_{}\(", ".py": r"^def test_{}\("}


@functools.cache
def text_of(path):
    return path.read_text()


def wrong_with(row):
    source = row.source()
    if row.kind not in attack_table.KINDS:
        yield f"the kind '{row.kind}' is none of {', '.join(attack_table.KINDS)}"
    if not row.attack or not row.said:
        yield "an attack and what is said are wanted"
    if source is None:
        yield f"there is no test '{row.test}'"
    elif not re.search(CASE[source.suffix].format(re.escape(row.case)), text_of(source), re.M):
        yield f"{source.relative_to(attack_table.ROOT)} has no case '{row.case}'"


def main():
    rows, wrong = attack_table.read()
    wrong += [(row.number, text) for row in rows for text in wrong_with(row)]
    if not rows:
        wrong.append((1, "no table of attacks"))
    for number, text in sorted(wrong):
        print(f"docs/limits.md:{number}: {text}")
    print(f"{len(rows)} attacks, {len(wrong)} wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
