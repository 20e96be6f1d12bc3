#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks who includes whom in src/: check_layers.py [SRC].

A folder may include its own headers and those of the folders that ALLOWED names for it. Headers
of a library stand only in the folders that own it. src/base holds no word of the project's
field. A format or connector is named in its own folder and in src/adapters, nowhere else. Prints
file:line of each breach; exits 1 if there was one.
"""
import pathlib
import re
import sys

ALLOWED = {
    "base": "",
    "core": "base",
    "csv": "base core",
    "avro": "base core",
    "codegen": "base core avro",
    "expr": "base core",
    "adapters": "base core",
    "sql": "base core expr",
    "table": "base core expr sql",
    "http": "base core",
    "registry": "base core avro http",
    "wire": "base core",
    "kafka": "base core wire",
    "storage": "base core http",
    "log": "base core",
    "status": "base core",
    "commit": "base core status log",
    "work": "base core expr sql table status log commit",
    "gtfs": "base core csv http",
    "generate": "base core",
    "job": "base core csv expr sql table registry storage status log commit work gtfs http",
    "testing": "base core csv sql table job",
    "cli": "base core csv expr sql table registry kafka storage status log commit work gtfs http job codegen generate testing",
}
# A folder with a file format.c.
FORMAT = "base core"

# A pattern of headers, and the only folders that may include them.
OWNERS = [
    (r"librdkafka/.*|rdkafka.*\.h", "kafka"),
    (r"curl/.*", "http"),
    (r"openssl/(ssl|bio)\.h", "wire"),
    (r"gssapi/.*|krb5.*\.h", "wire"),
    (r"pg_query\.h", "sql"),
    (r"sqlite3(ext)?\.h", "sql table"),
    (r"archive(_entry)?\.h", "gtfs"),
    # work starts no thread and never blocks outside a port: a simulator runs it.
    (r"pthread\.h|threads\.h|sys/socket\.h|sys/epoll\.h", "base kafka wire http storage status job"),
    (r"poll\.h", "base kafka wire http storage status job cli"),  # cli waits for keys
]

PROJECT_WORDS = set(
    "kafka gtfs avro hdfs webhdfs csv sql sqlite rdkafka topic topics trip trips stop_times"
    " frequencies calendar dimension registry".split()
)

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')


def check_include(folder, folders, quote, header):
    """Returns what is wrong with one include of a file in folder, or None."""
    for pattern, owners in OWNERS:
        if re.fullmatch(pattern, header) and folder not in owners.split():
            return f"{folder}/ may not include <{header}>; only {owners.replace(' ', ', ')} may"
    if quote == "<":
        return None
    target, slash, _ = header.partition("/")
    if not slash:
        return f'"{header}": write the folder too, "{folder}/{header}"'
    if target not in folders:
        return f'"{header}": there is no folder src/{target}'
    if target != folder and target not in ALLOWED[folder].split():
        allowed = ALLOWED[folder].replace(" ", ", ") or "nothing"
        return f"{folder}/ may not include {target}/; it stands on {allowed}"
    return None


ENTRY = re.compile(r"^const struct (format|connector) (\w+)_\1 = \{", re.M)


def find_entries(src):
    """Returns what names a format or connector in code, and the folder that may."""
    entries = {}
    for path in src.glob("*/*.c"):
        for kind, name in ENTRY.findall(path.read_text()):
            entries[f'"{name}"'] = entries[f"{name}_{kind}"] = path.parent.name
    return entries


COMPARES = re.compile(r"\w*(?:_is|_eq|_find|strcmp)\(")


def check_entries(line, folder, entries):
    code = re.sub(r"//.*", "", line)
    words = re.findall(r'"\w+"|\w+' if COMPARES.search(code) else r"\w+", code)
    for word in words:
        owner = entries.get(word, folder)
        if owner != folder and folder != "adapters":
            yield f"{word} stands in {owner}/ alone: ask what a format or connector can do"


def project_words(line):
    words = re.findall(r"[A-Za-z]+", line)
    pairs = [f"{a}_{b}" for a, b in zip(words, words[1:])]
    return sorted({w for w in map(str.lower, words + pairs) if w in PROJECT_WORDS})


def check_file(path, folder, folders, entries):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        wrong = match and check_include(folder, folders, *match.groups())
        if wrong:
            yield f"{path}:{number}: {wrong}"
        for wrong in check_entries(line, folder, entries):
            yield f"{path}:{number}: {wrong}"
        if folder == "base":
            for word in project_words(line):
                yield f"{path}:{number}: base/ knows no project word, this is one: {word}"


def main():
    src = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "src")
    folders = {p.name for p in src.iterdir() if p.is_dir()} if src.is_dir() else set()
    for entry in src.glob("*/format.c"):
        ALLOWED.setdefault(entry.parent.name, FORMAT)
    breaches = [
        f"{src}/{name}: no layer of this name; tools/check_layers.py lists them"
        for name in sorted(folders - set(ALLOWED))
    ]
    entries = find_entries(src)
    files = 0
    for folder in sorted(folders & set(ALLOWED)):
        for path in sorted((src / folder).rglob("*.[ch]")):
            files += 1
            breaches += check_file(path, folder, folders, entries)
    for path in sorted(src.glob("*.[ch]")):
        breaches.append(f"{path}: belongs into a folder")
    print("\n".join(breaches + [f"layers: {files} files, {len(breaches)} breaches"]))
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
