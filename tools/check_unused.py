#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that the program uses what its headers declare: check_unused.py [ROOT].

A function that a header of src/ declares is used in a file of src/ other than the one that
defines it: else it is dead, or the tests' alone, or it should be static. Inline functions and
macros of headers, and members of structs, are used at all. Uses are words, so one of the same
name elsewhere hides what nobody uses. SEAMS names what is there for tests, and why.
"""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[1])
SEAMS = {
    "commit_service_result": "how a committer ended, which a job hears of by mail",
    "uploader_result": "the same of an uploader",
    "feed_count": "all members of a feed, which a fuzz target reads",
    "feed_name": "the same",
    "local_rename_by_link": "the way of kernels and file systems without renameat2",
    "unit_encode": "the JSON of a unit, for workers that are processes of their own",
    "unit_decode": "the same",
}

# Comments, strings and characters are no code.
NO_CODE = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""", re.S)
WORD = re.compile(r"[A-Za-z_]\w*")
DECLARED = re.compile(r"^(?!#|typedef|static|struct \w+ \{)[A-Za-z_][\w\s*]*?[\s*](\w+)\(", re.M)
IN_HEADER = re.compile(r"^static inline [\w\s*]*?[\s*](\w+)\(|^#define\s+(\w+)", re.M)
STRUCT = re.compile(r"\bstruct\s+(\w+)\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
MEMBER = re.compile(r"\(\*(\w+)\)|(\w+)\s*(?:\[[^\]]*\]\s*)*(?::[^,;]*)?(?=[,;])")


def read(path):
    return NO_CODE.sub(" ", path.read_text())


def main():
    texts = {p: read(p) for p in sorted((ROOT / "src").rglob("*.[ch]"))}
    words = {p: collections.Counter(WORD.findall(t)) for p, t in texts.items()}
    uses = collections.Counter()
    for counted in words.values():
        uses.update(counted)
    defined = collections.defaultdict(set)
    for path, text in texts.items():
        if path.suffix == ".c":
            for name in DECLARED.findall(text):
                defined[name].add(path)

    found = []

    def tell(path, name, why):
        lines = path.read_text().split("\n")
        line = next((n for n, text in enumerate(lines, 1) if re.search(rf"\b{name}\b", text)), 1)
        found.append(f"{path.relative_to(ROOT)}:{line}: {name} {why}")

    for path, text in texts.items():
        if path.suffix == ".h":
            for name in dict.fromkeys(DECLARED.findall(text)):
                home = defined[name] | {path}
                if name.isupper() or name in SEAMS or words[path][name] > 1:
                    continue
                if all(p in home for p in words if words[p][name]):
                    used_at_home = any(words[p][name] > 1 for p in defined[name])
                    tell(path, name, "is used by its own file only: make it static" if used_at_home
                         else "is used nowhere in src/")
            for pair in IN_HEADER.findall(text):
                name = pair[0] or pair[1]
                if uses[name] <= (1 if pair[0] else 0) and not name.endswith("_H"):
                    tell(path, name, "is used nowhere in src/")
        for _, body in STRUCT.findall(text):
            for pair in MEMBER.findall(re.sub(r"\{[^{}]*\}", "", body)):
                name = pair[0] or pair[1]
                if uses[name] <= 1 and not name[0].isdigit() and not name.isupper():
                    tell(path, name, "is a member that nothing reads or sets")
    print("\n".join(found + [f"unused: {len(texts)} files, {len(found)} found"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
