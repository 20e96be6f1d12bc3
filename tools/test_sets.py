# SPDX-License-Identifier: Apache-2.0
"""Which tests there are, and what test_runner.py runs of them.

The first lines of a test's source may hold, after "test:" in a comment:
    takes SECONDS       about, on 2 cores: of those that take longest in their set, as they begin first
    waits               mostly waits: it has a place beside those that compute
    alone               nothing else runs beside it
    long                runs only with --long (which also sets TEST_LONG=1)
    quick               an e2e test that runs with --quick too
    slow                a C test that does not run with --quick
    limit SECONDS       its time limit
    build KIND          a C test: the build it is run from (asan without it)
    runs-in TEST        a C test that needs real servers: that e2e test runs it
    not-tsan WHY        a C test that cannot run under the thread sanitizer
    not-asan WHY        an e2e test that says nothing with the program of the asan build
    needs PART...       an e2e test: parts of tools/stack.sh that must be up; "needs nothing"
    builds KIND TARGET  an e2e test that runs programs of that build too
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
# Stops for what hangs, on a busy machine too.
LIMITS_S = {"build": 900, "lint": 300, "e2e": 600}
# The one that apt installs, for the Python that it is installed for.
PYTEST = ["/usr/bin/python3", "-m", "pytest"]
QUICK = "quick"  # `./dev test quick` is --quick
ALL_PARTS = ("kafka", "hdfs", "registry")


class Test:
    def __init__(self, set_name, name, command, source=None, variant=""):
        self.set_name, self.name, self.variant = set_name, name, variant
        self.command = [str(word) for word in command]
        self.marks = read_marks(source) if source else {}
        self.limit_s = float(self.marks.get("limit", LIMITS_S.get(set_name, 0)))
        self.takes_s = float(self.marks.get("takes", 0))
        self.env = {}

    @property
    def label(self):
        return f"{self.name} ({self.variant})" if self.variant else self.name

    @property
    def file_name(self):
        return re.sub(r"[^\w.-]+", "-", f"{self.set_name}-{self.label}").strip("-")


def read_marks(source):
    """The marks in the first lines of a test's source: {"limit": "300", "alone": ""}."""
    with open(source, errors="replace") as f:
        head = [line for _, line in zip(range(30), f)]
    found = (re.match(r"\s*(?://|#|\*)\s*test:\s*([\w-]+)\s*(.*)", line) for line in head)
    return {m.group(1): m.group(2).strip() for m in found if m}


def sanitizer_env():
    lines = (ROOT / "tests/sanitizers.env").read_text().replace("@ROOT@", str(ROOT)).splitlines()
    return dict(line.split("=", 1) for line in lines)


SANITIZER_ENV = sanitizer_env()


def c_test(set_name, source, kind, variant=""):
    """A test that CTest knows in that build: tests/ctest.cmake."""
    name = re.sub("^(test|fuzz)_", "", source.stem)
    label = f"fuzz_{name}" if set_name == "fuzz" else name
    test = Test(set_name, label, [], source, f"{kind} {variant}".strip() if variant else "")
    test.kind, test.target = kind, source.stem
    test.ctest_name = f"{set_name}.{name}" + (f".{variant}" if variant else "")
    return test


def c_tests(folder, set_name, is_long):
    tests = []
    for source in sorted((ROOT / "tests" / folder).glob("test_*.c")):
        marks = read_marks(source)
        if "runs-in" in marks:
            continue
        kind = marks.get("build", "asan")
        kinds = sorted({kind, "release", "tsan"}) if is_long else [kind]
        tests += [c_test(set_name, source, k, "long" if is_long else "")
                  for k in kinds if f"not-{k}" not in marks]
        if is_long and folder == "unit":
            tests.append(c_test(set_name, source, "release", "valgrind"))
    return tests


def fuzz_tests(is_long):
    """The fuzz targets on their corpus and changed copies of it; with --long libFuzzer looks for more."""
    sources = sorted((ROOT / "tests/fuzz").glob("fuzz_*.c"))
    if not is_long:
        return [c_test("fuzz", source, "asan") for source in sources]
    return [c_test("fuzz", source, *of) for source in sources
            for of in (("asan", "long"), ("fuzz", "libfuzzer"))]


def e2e_tests(kind="release"):
    """The end to end tests, with the program of that build."""
    variant = "" if kind == "release" else kind
    tests = []
    for source in sorted((ROOT / "tests/e2e").glob("test_*.py")):
        name = source.stem.removeprefix("test_")
        test = Test("e2e", name, [*PYTEST, source], source, variant)
        needs = test.marks.get("needs", " ".join(ALL_PARTS)).split()
        test.parts = [] if needs == ["nothing"] else needs
        test.kind = kind
        test.env = {**SANITIZER_ENV, "TRAMLINE_BIN": str(BUILD / kind / "tramline")}
        if f"not-{kind}" not in test.marks:
            tests.append(test)
    return tests


def lint_tests():
    tools = ROOT / "tools"
    return [
        Test("lint", "layers", [sys.executable, tools / "check_layers.py"]),
        Test("lint", "headers", [tools / "check_headers.sh"]),
        Test("lint", "format", [tools / "check_format.sh"]),
        Test("lint", "links", [sys.executable, tools / "check_links.py"]),
        Test("lint", "attacks", [sys.executable, tools / "check_attacks.py"]),
        Test("lint", "pages", [sys.executable, tools / "check_pages.py"]),
        Test("lint", "unused", [sys.executable, tools / "check_unused.py"]),
        Test("lint", "messages", [sys.executable, tools / "check_messages.py"]),
        Test("lint", "error_codes", [sys.executable, tools / "error_codes.py"]),
    ]


def build_tests(selected, everything):
    """The builds that the selected tests need: a program only where it is run. For all tests each source of one is
    compiled by gcc -O2 and by clang, too, for their warnings."""
    targets = {}
    for test in selected["unit"] + selected["fuzz"] + selected["simulator"]:
        targets.setdefault(test.kind, set()).add(test.target)
    for test in selected["e2e"]:
        targets.setdefault(test.kind, set()).add("all")
        if "builds" in test.marks:
            kind, *names = test.marks["builds"].split()
            targets.setdefault(kind, set()).update(names)
    if everything:
        targets.setdefault("release", set()).update(("all", "bench", "unit_objects"))
        targets.setdefault("asan", set()).update(("all", "fuzz"))
        targets.setdefault("clang", set()).update(("all", "unit_objects"))
    order = ["release", "asan", "tsan", "clang", "fuzz"]
    return [
        Test("build", kind, [ROOT / "dev", "build", kind, *sorted(targets[kind])])
        for kind in sorted(targets, key=lambda k: order.index(k) if k in order else len(order))
    ]


def quick_tests(sets):
    """What a person runs before a commit."""
    return {
        "lint": sets["lint"],
        "unit": [t for t in sets["unit"] if "slow" not in t.marks],
        "fuzz": [],
        "simulator": [t for t in sets["simulator"] if QUICK in t.marks],
        "e2e": [t for t in sets["e2e"] if QUICK in t.marks],
    }


def choose(options):
    """The tests by set, as the command line asks."""
    name, _, case = (options.filter or "").partition("/")
    sets = {
        "lint": [] if name else lint_tests(),
        "unit": c_tests("unit", "unit", options.long),
        "fuzz": fuzz_tests(options.long),
        "simulator": c_tests("sim", "simulator", options.long),
        "e2e": e2e_tests() + (e2e_tests("asan") if options.long else []),
    }
    if options.quick:
        sets = quick_tests(sets)
    for set_name, tests in sets.items():
        if options.only and set_name != options.only:
            tests.clear()
        tests[:] = [t for t in tests if name in t.name]
        if not options.long and not name:
            tests[:] = [t for t in tests if "long" not in t.marks]
        for test in tests:
            test.env = dict(test.env, **({"TEST_CASE": case} if case else {}))
            test.env.update({"TEST_LONG": "1"} if options.long else {})
    return sets
