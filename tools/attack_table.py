# SPDX-License-Identifier: Apache-2.0
"""The tables of docs/limits.md below "## Attacks": what each attack costs, and the test that makes it."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/limits.md"
COLUMNS = ["attack", "kind", "what is said", "ms", "MB", "test"]
KINDS = ["time", "memory", "depth", "size", "count", "wait", "text", "name",
         "overflow"]
FOLDERS = {"tests/unit": ".c", "tests/sim": ".c", "tests/e2e": ".py"}


class Row:
    """A line of a table, its place in the page, and the heading above it."""

    def __init__(self, line, number, heading):
        self.number, self.heading = number, heading
        self.cells = cells_of(line)
        if len(self.cells) != len(COLUMNS):
            raise ValueError(f"{len(self.cells)} cells, not {len(COLUMNS)}")
        self.attack, kind, self.said, self.ms, self.mb, test = self.cells
        self.kind = kind.partition(":")[0]
        self.test, _, self.case = test.strip("`").partition("/")

    def source(self):
        """The test's file, or None."""
        paths = (ROOT / folder / f"test_{self.test}{end}" for folder, end in FOLDERS.items())
        return next((path for path in paths if path.exists()), None)

    def with_cost(self, ms, mb):
        return f"| {' | '.join([*self.cells[:3], ms, mb, self.cells[5]])} |"


def cells_of(line):
    """A table's cells; a `|` in code is written `\\|`."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def read():
    """All rows, and what is wrong with the lines that are none: (rows, [(line number, text)])."""
    rows, wrong, heading, inside = [], [], "", False
    for number, line in enumerate(PAGE.read_text().splitlines(), 1):
        if line.startswith("#"):
            inside = inside and not re.match(r"##? ", line) or line == "## Attacks"
            heading = line.lstrip("# ")
        if not inside or not line.startswith("|") or re.match(r"\|[-|]+$", line):
            continue
        if cells_of(line) == COLUMNS:
            continue
        try:
            rows.append(Row(line, number, heading))
        except ValueError as error:
            wrong.append((number, str(error)))
    return rows, wrong
