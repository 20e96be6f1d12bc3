# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: not-asan it installs the release build
"""`cmake --install` puts things where a distribution would; the manual page is whole and renders
without warnings."""
import functools
import os
import re
import subprocess

import lib

BUILD = lib.ROOT / "build/release"


def output(*command, env=None):
    """stdout; fails when the command does, or says anything on stderr."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})}, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), (command, done.stdout, done.stderr)
    return done.stdout


@functools.cache
def installed():
    """The root under which the program was installed with the prefix /usr."""
    lib.program()
    root = lib.tmp_dir()
    output("cmake", "--install", BUILD, "--prefix", "/usr", env={"DESTDIR": str(root)})
    return root


def compiled_with(*options):
    place = lib.tmp_dir()
    output("cmake", "-S", lib.ROOT, "-B", place, "-G", "Ninja", *options)
    return (place / "compile_commands.json").read_text()


def test_a_warning_ends_a_developers_build_only():
    assert "-Wall" in compiled_with() and "-Werror" not in compiled_with()
    assert "-Werror" in compiled_with("-DTRAMLINE_WERROR=ON")
    assert "-Werror" in (BUILD / "compile_commands.json").read_text(), "./dev build sets it"


def page():
    return installed() / "usr/share/man/man1/tramline.1"


def rendered():
    return output("mandoc", "-T", "ascii", "-O", "width=900", page())


def test_files_are_where_a_distribution_has_them():
    found = {str(p.relative_to(installed())) for p in installed().rglob("*") if p.is_file()}
    for path in ("usr/bin/tramline", "usr/share/man/man1/tramline.1", "usr/share/tramline/tramline_spark.py",
                 "usr/lib/systemd/system/tramline@.service",
                 "usr/share/bash-completion/completions/tramline",
                 "usr/share/zsh/vendor-completions/_tramline",
                 "usr/share/fish/vendor_completions.d/tramline.fish",
                 "usr/share/doc/tramline/README.md", "usr/share/doc/tramline/docs/tutorial.md",
                 "usr/share/doc/tramline/examples/stm/pipeline.sql"):
        assert path in found, (path, sorted(found))
    for path in found:
        assert re.match(r"usr/(bin|lib/systemd/system|share/(tramline|man/man1|doc/tramline|bash-completion/completions"
                        r"|zsh/vendor-completions|fish/vendor_completions.d))/", path), path


def test_the_installed_program_takes_the_installed_example():
    program = installed() / "usr/bin/tramline"
    assert re.fullmatch(r"tramline \d+\.\d+\.\d+\n", output(program, "--version"))
    example = installed() / "usr/share/doc/tramline/examples/stm/pipeline.sql"
    sets = [f"--set={name}=x" for name in ("USER_NAME", "GROUP", "NAME", "BROKERS")]
    output(program, "check", example, "--set=HDFS=hdfs://name-node:9870", *sets)


def test_manual_page_renders_without_warnings():
    assert output("mandoc", "-T", "lint", "-W", "warning", page()) == ""
    shown = output("groff", "-man", "-ww", "-T", "utf8", page())
    assert "TRAMLINE(1)" in re.sub(r"\x1b\[\d+m|.\x08", "", shown)


def test_manual_page_has_every_command_and_option():
    text = " ".join(re.sub(r".\x08", "", rendered()).split())
    reference = (lib.ROOT / "docs/reference.md").read_text()
    # What --json prints of each command is told by --json=schema, not by the manual page.
    reference = re.sub(r"^## JSON\n.*?(?=^## )", "", reference, flags=re.M | re.S)
    commands = re.findall(r"^### (?:tramline )(\S+)", reference, re.M)
    options = re.findall(r"^\| `([^`]+)` \|", reference, re.M)
    assert len(commands) >= 9 and len(options) > 50, (commands, options)
    for name in [*commands, *options]:
        assert name in text, name
    helps = re.findall(r"^\| `[^`]+` \| (?:[^|]*\| [^|]*\| )?([^|]+) \|$", reference, re.M)
    assert len(helps) == len(options), len(helps)
    for sentence in helps:
        assert " ".join(sentence.removesuffix(" (secret)").split()) in text, sentence
