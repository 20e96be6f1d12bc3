#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks src/cli/error_codes.txt: each error that src/ can tell has a code there.

error_codes.py        prints what is wrong; exits 1 if something is
error_codes.py --add  gives new texts the next codes of their group, in place
error_codes.py --page prints docs/errors.md

A line is CODE, a tab, and the format of the error as C has it, or for TL1 to TL9 what errors with
that digit are about; "gone" stands for one that no
source has any more: a code never gets another meaning. Whoever changes the words of an error
changes its line. The next line may explain it: a tab, why it comes about, a tab, what to do.
"""
import pathlib
import re
import sys

import check_messages

ROOT = pathlib.Path(__file__).resolve().parents[1]
TABLE = "src/cli/error_codes.txt"
# Functions with a format that is not an error by itself.
NO_ERRORS = {"verdict_add", "arena_printf", "buf_printf", "mem_printf", "log_line", "make", "notify", "report_hint", "err_context"}
# First digit of a code, and the folders whose errors have it; all others' have 9.
GROUPS = {
    "1": "sql expr",
    "2": "csv avro",
    "3": "table testing",
    "4": "kafka wire",
    "5": "storage http",
    "6": "registry",
    "7": "log commit work",
    "8": "gtfs",
}
# Texts that are no format of the sources: PostgreSQL's parser says the first, the others are put together
# of pieces, for dead letters.
OTHERS = {
    'syntax error at or near "%s"': "1",
    "syntax error at end of input": "1",
    'unterminated quoted string at or near "%s"': "1",
    'unterminated quoted identifier at or near "%s"': "1",
    'unterminated /* comment at or near "%s"': "1",
    'unterminated dollar-quoted string at or near "%s"': "1",
    'zero-length delimited identifier at or near "%s"': "1",
    "empty record": "2",
    "%zu field%s for %zu column%s: the first too many is %s": "2",
    "%zu field%s for %zu column%s: %s is the first without one": "2",
    "%zu field%s for %zu column%s: field %zu is the first that is missing": "2",
    "two lines in one record; a line break in a field is quoted": "2",
    "a record of %zu bytes; at most %d are read": "2",
    "column %s is NOT NULL and has no value": "2",
    "column %s: %s is not an INT": "2",
    "column %s: %s is not a %s": "2",
    "column %s: %s is out of the range of %s": "2",
    "column %s: %s holds a NUL byte": "2",
    "column %s: %s is not UTF-8": "2",
    "text after the closing quote; a quote inside quotes is written twice": "2",
    "unclosed quote": "2",
    "a record of more than 16 MiB; is a quote left open?": "2",
}
# The same, of dead letters of Avro: formats as they stand in src/avro.
REASONS = {
    "%s: %zu byte%s left behind the last field",
    "%zu byte%s: too short for Confluent Avro, whose magic byte and schema id take 5",
    "the schema id is negative: not Confluent Avro",
    "the schema id is 0, which no registry gives: looks like Apicurio's framing with an id of 8 bytes, "
    "not Confluent Avro",
    "the value is empty: Confluent Avro begins with a zero byte",
    "looks like %s, not Confluent Avro",
    "not Confluent Avro, which begins with a zero byte",
    "neither a zero byte and an id above 0 in 4 bytes, nor a byte of 1 and a GUID in 16",
    "it has no value",
    "cut off in a number",
    "cut off: %lld bytes wanted, %lld left",
    "a number of more than 64 bits",
    "%lld is not an int of 32 bits",
    "%lld is not a length",
    "byte 0x%02llX is not a boolean",
    "no UTF-8 text without a zero byte: wrong after %lld good bytes",
    "a REAL must be finite",
    "null in a column that is NOT NULL",
    "branch %lld of a union of %lld",
    "symbol %lld of an enum of %lld",
    "enum '%.*s' of the reader has neither symbol '%.*s' nor a default",
    "the %s has no text",
    "more than %lld steps a byte: records that hold little else than records",
    "more than %lld levels deep",
}


def group_of(path):
    folder = path.split("/")[1]
    return next((digit for digit, folders in GROUPS.items() if folder in folders.split()), "9")


def errors_in(root):
    """{format: group} of all errors that the sources can tell."""
    paths = sorted((root / "src").rglob("*.[ch]"))
    sources = {str(p.relative_to(root)): p.read_text() for p in paths}
    formats, _ = check_messages.formats_of(sources)
    found = dict(OTHERS)
    for path, source in sources.items():
        for literal in check_messages.literals_of(source):
            if path.startswith("src/avro/") and literal.text.removeprefix(": ") in REASONS:
                found[literal.text.removeprefix(": ")] = "2"
            name, number = literal.calls[-1] if literal.calls else ("", 0)
            if name in formats and name not in NO_ERRORS and formats[name] == number:
                if not check_messages.Message(path, literal, False).is_relay():
                    found.setdefault(literal.text, group_of(path))
    return found


def escape(text):
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")


def read_lines(root):
    return [tuple(line.split("\t", 1)) for line in (root / TABLE).read_text().splitlines() if line[0] != "\t"]


def read_explanations(root):
    """{code: (why, what to do)}."""
    found, code = {}, None
    for line in (root / TABLE).read_text().splitlines():
        if line[0] == "\t":
            _, why, way_out = line.split("\t")
            found[code] = why, way_out
        code = line.partition("\t")[0]
    return found


def read_table(root):
    """[(code, escaped format)] in order."""
    return [line for line in read_lines(root) if len(line[0]) > len("TL1")]


def read_heads(root):
    """[(TL1, what its errors are about)]."""
    return [line for line in read_lines(root) if len(line[0]) == len("TL1")]


def wrong_with(table, found):
    texts = {escape(text) for text in found}
    known = {text for _, text in table}
    codes = [code for code, _ in table]
    for text in sorted(texts - known):
        yield f"no code, run tools/error_codes.py --add (or change the line of the text that it was): {text}"
    for code, text in table:
        if text != "gone" and text not in texts:
            yield f"{code}: no source has this any more; write gone for the text: {text}"
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        yield f"{code} stands twice"
    if codes != sorted(codes):
        yield "codes do not rise"
    for text in sorted(REASONS - {text for text in found}):
        yield f"src/avro has no such reason: {text}"


def add(root, table, found):
    known = {text for _, text in table}
    for text, group in sorted(found.items(), key=lambda item: (item[1], item[0])):
        if escape(text) not in known:
            last = max([int(code[2:]) for code, _ in table if code[2] == group], default=int(group) * 1000)
            table.append((f"TL{last + 1}", escape(text)))
    explanations = read_explanations(root)
    lines = [
        f"{code}\t{text}\n" + "".join(f"\t{part}" for part in explanations.get(code, ())) + "\n" * (code in explanations)
        for code, text in sorted(table + read_heads(root))
    ]
    (root / TABLE).write_text("".join(lines))


def shown(text):
    """A format as people read it: conversions are an ellipsis."""
    text = check_messages.CONVERSION.sub(lambda m: "%" if m[1] == "%" else "…", text)
    return plain(text)


def plain(text):
    return text.replace("|", "\\|").replace("`", "'")


def page(table):
    print("# Errors\n\nMade by `tools/error_codes.py --page`. Each error has a code that stays, whatever becomes of its words. With `--json`\n"
          "or `--log-format json` an error is a JSON line that has it; `tramline explain-error CODE` (or the error's own text) tells\n"
          "what stands here. `…` is what the error names.")
    explanations = read_explanations(ROOT)
    for head, about in read_heads(ROOT):
        title, _, advice = about.partition(". ")
        advice = re.sub(r"\b([\w-]+\.md)", r"[\1](\1)", advice)
        print(f"\n## {head}: {title}\n\n{advice}\n\n| code | error | why, and what to do |\n|---|---|---|")
        for code, text in table:
            if code.startswith(head) and text != "gone":
                print(f"| {code} | {shown(text)} | {' '.join(map(plain, explanations.get(code, ())))} |")


def main():
    table, found = read_table(ROOT), errors_in(ROOT)
    if "--page" in sys.argv:
        page(table)
        return 0
    if "--add" in sys.argv:
        add(ROOT, table, found)
        return 0
    wrong = list(wrong_with(table, found))
    print("\n".join(wrong + [f"error codes: {len(table)}, {len(wrong)} breaches"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
