#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that relative links of all Markdown pages lead somewhere: files, and headings in them."""
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SKIPPED = {"build", ".stack", ".git"}
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def pages():
    for folder, folders, files in os.walk(ROOT):
        folders[:] = sorted(set(folders) - SKIPPED)
        yield from (pathlib.Path(folder, name) for name in sorted(files) if name.endswith(".md"))


def without_code(text):
    text = re.sub(r"^( *)(```|~~~).*?^\1\2", lambda m: "\n" * m.group().count("\n"), text,
                  flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(path):
    """The names of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.*)$", path.read_text(), re.M)
    words = (re.sub(r"[^\w\- ]", "", h.strip().lower()).replace(" ", "-") for h in headings)
    return set(words)


def wrong_with(page, link):
    target, _, anchor = link.partition("#")
    path = (page.parent / target).resolve() if target else page
    if not path.exists():
        return "no such file"
    if anchor and path.suffix == ".md" and anchor not in anchors(path):
        return "no such heading"
    return None


def main():
    n_links, breaches = 0, 0
    for page in pages():
        for number, line in enumerate(without_code(page.read_text()).splitlines(), 1):
            for link in LINK.findall(line):
                if re.match(r"[a-z]+:", link):
                    continue
                n_links += 1
                wrong = wrong_with(page, link)
                if wrong:
                    breaches += 1
                    print(f"{page.relative_to(ROOT)}:{number}: {link}: {wrong}")
    print(f"links: {n_links} checked, {breaches} broken")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
