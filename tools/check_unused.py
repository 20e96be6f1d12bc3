#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that the program uses what its headers declare: check_unused.py [ROOT].

A function that a header of src/ declares is used in a file of src/ other than the one that
defines it: else it is dead, or the tests' alone, or it should be static. The same holds for a
variable: a command that stands in no list. Inline functions and macros of headers, and members of
structs, are used at all; an option of a script is read by its name somewhere. Uses are words, so
one of the same name elsewhere hides what nobody uses. SEAMS names what is there for tests, and why; each of them
is used by a test, and by nothing in src/ but its own file. OFFERED names what is there for what
docs/architecture.md says how to add, and by now only one file needs.
"""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[1])
SEAMS = {
    "asked_bytes": "what answers take, which a test holds to its limit",
    "asker_has_ended": "the simulator runs an asker without its thread",
    "asker_is_idle": "the same",
    "asker_step": "the same",
    "checksummer_open_blocks": "checksums over blocks that are smaller than a test can wait for",
    "commit_service_result": "how a committer ended, which a job hears of by mail",
    "cores_of_quota": "quotas of groups that the machine does not have",
    "crc32c_plain": "the twin that goes byte by byte, to which chains are held",
    "feed_count": "all members of a feed, which a fuzz target reads",
    "feed_name": "the same",
    "hand_is_ordered": "the simulator runs hands without their threads",
    "letters_page": "the letters of one entry, as a test asks for them",
    "local_rename_by_link": "the way of kernels and file systems without renameat2",
    "make_unit": "one order, of those that make_units answers",
    "tokens_near_end": "when a token is looked at, without a day of waiting",
    "tokens_pause": "the same",
    "wire_authenticate_read": "what a broker says in a login, as a fuzz target has it",
    "wire_handshake_read": "the same",
    "unit_decode": "the JSON of a unit by itself, of which an answer is made",
    "unit_encode": "the same",
    "wire_kerberos_check_layers": "what no real broker says",
    "wire_in_uvarint": "a number alone, as its test reads it",
    "wire_out_uvarint": "the same",
    "uploader_result": "how an uploader ended, as of a committer",
}
OFFERED = {
    "storage_url_append": "for the URLs of a storage that brings its own",
    "storage_url_wrong": "the same",
}

# Comments, strings and characters are not code.
NO_CODE = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""", re.S)
WORD = re.compile(r"[A-Za-z_]\w*")
DECLARED = re.compile(r"^(?!#|typedef|static|struct \w+ \{)[A-Za-z_][\w\s*]*?[\s*](\w+)\(", re.M)
IN_HEADER = re.compile(r"^static inline [\w\s*]*?[\s*](\w+)\(|^#define\s+(\w+)", re.M)
VARIABLE = re.compile(r"^extern [\w\s*]*?[\s*](\w+)(?:\[\w*\])*;", re.M)
PASTED = re.compile(r"##(\w+)")
OPTION = re.compile(r'\{"([a-z0-9_.]+)",\s*OPTION_[A-Z]+,')
STRUCT = re.compile(r"\bstruct\s+(\w+)\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
MEMBER = re.compile(r"\(\*(\w+)\)|(\w+)\s*(?:\[[^\]]*\]\s*)*(?::[^,;]*)?(?=[,;])")


def read(path):
    return NO_CODE.sub(" ", path.read_text())


class Tree:
    def __init__(self, root):
        self.root, self.found = root, []
        self.texts = {p: read(p) for p in sorted((root / "src").rglob("*.[ch]"))}
        self.words = {p: collections.Counter(WORD.findall(t)) for p, t in self.texts.items()}
        self.uses = collections.Counter()
        for counted in self.words.values():
            self.uses.update(counted)
        self.defined = collections.defaultdict(set)
        for path, text in self.texts.items():
            if path.suffix == ".c":
                for name in DECLARED.findall(text):
                    self.defined[name].add(path)
        # Ends of names that macros put together.
        self.pasted = tuple(end for t in self.texts.values() for end in PASTED.findall(t))
        self.tested = set()
        for path in (root / "tests").rglob("*.[ch]"):
            self.tested.update(WORD.findall(read(path)))

    def tell(self, path, name, why):
        lines = path.read_text().split("\n")
        line = next((n for n, text in enumerate(lines, 1) if re.search(rf"\b{name}\b", text)), 1)
        self.found.append(f"{path.relative_to(self.root)}:{line}: {name} {why}")

    def is_used_elsewhere(self, path, name):
        home = self.defined[name] | {path}
        return self.words[path][name] > 1 or any(
            counted[name] for p, counted in self.words.items() if p not in home)

    def look_at_functions(self, path):
        """Yields those of them that may be there all the same."""
        for name in dict.fromkeys(DECLARED.findall(self.texts[path])):
            if name.isupper() or self.is_used_elsewhere(path, name):
                continue
            if name in OFFERED or name in SEAMS and name in self.tested:
                yield name
            elif any(self.words[p][name] > 1 for p in self.defined[name]):
                self.tell(path, name, "is used by its own file only: make it static; if tests "
                          "need it: tools/check_unused.py, SEAMS")
            else:
                self.tell(path, name, "is used nowhere in src/")

    def look_at_variables(self, path):
        for name in VARIABLE.findall(self.texts[path]):
            home = re.compile(rf"^(?!extern)\w[^\n;(]*\b{name}\b[^\n;(]*=", re.M)
            users = (p for p in self.words if p != path and self.words[p][name])
            if not name.endswith(self.pasted) and all(home.search(self.texts[p]) for p in users):
                self.tell(path, name, "is used by its own file only: does a list lack it?")

    def look_at_options(self):
        raw = {path: path.read_text() for path in self.texts}
        for path, text in raw.items():
            for name in OPTION.findall(text):
                if sum(other.count(f'"{name}"') for other in raw.values()) < 2:
                    self.tell(path, name, "is an option that nothing reads")

    def look_at_inlines(self, path):
        for function, macro in IN_HEADER.findall(self.texts[path]):
            name = function or macro
            if self.uses[name] <= 1 and not name.endswith("_H"):
                self.tell(path, name, "is used nowhere in src/")

    def look_at_members(self, path):
        for _, body in STRUCT.findall(self.texts[path]):
            for pointer, other in MEMBER.findall(re.sub(r"\{[^{}]*\}", "", body)):
                name = pointer or other
                if self.uses[name] <= 1 and not name[0].isdigit() and not name.isupper():
                    self.tell(path, name, "is a member that nothing reads or sets")


def main():
    tree = Tree(ROOT)
    seams = set()
    for path in tree.texts:
        if path.suffix == ".h":
            seams.update(tree.look_at_functions(path))
            tree.look_at_variables(path)
            tree.look_at_inlines(path)
        tree.look_at_members(path)
    tree.look_at_options()
    found = tree.found
    for name in sorted(SEAMS.keys() - seams):
        found.append(f"tools/check_unused.py: {name} needs no place in SEAMS, or no test uses it")
    for name in sorted(OFFERED.keys() - seams):
        found.append(f"tools/check_unused.py: {name} needs no place in OFFERED")
    print("\n".join(found + [f"unused: {len(tree.texts)} files, {len(found)} found"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
