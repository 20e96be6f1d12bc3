# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""What a terminal gets: colours and rewritten lines only where it takes them, carets at their
places however narrow it is."""
import re
import unicodedata

import lib
import terminal

SCRIPT = """CREATE TABLE trips (trip_id TEXT NOT NULL, route_id TEXT)
  WITH (connector = 'filesystem', path = 'trips', format = 'csv');
CREATE TABLE stop_times (trip_id TEXT NOT NULL)
  WITH (connector = 'file', path = 'stop_times.txt', format = 'csv');
CREATE TABLE result () WITH (connector = 'filesystem', path = 'result', format = 'csv');
INSERT INTO result SELECT s.* FROM stop_times s JOIN trips t ON t.trip_id = s.trip_id;
"""


def place(text=SCRIPT):
    directory = lib.tmp_dir()
    (directory / "p.sql").write_text(text)
    return directory


def big_feed(directory):
    """One whose extract and load take long enough to show progress."""
    (directory / "feed").mkdir()
    rows = "".join(f"trip number {i},route {i % 7}\n" for i in range(600_000))
    (directory / "feed/trips.txt").write_text("trip_id,route_id\n" + rows)
    (directory / "stop_times.txt").write_text("trip number 1\n")


def everything(env, unset=()):
    """All that is coloured or rewritten: verdicts, errors, the demo's commands, progress."""
    directory = place()
    text = terminal.shown(["check", "--live", "p.sql"], directory, env=env, unset=unset)
    assert "BAD " in text and "not ready" in text, text
    text += terminal.shown(["demo", "--dir", "demo"], directory, env=env, unset=unset)
    big_feed(directory)
    text += terminal.shown(["extract", "feed", "p.sql"], directory, env=env, unset=unset)
    return text + terminal.shown(["check", "wrong.sql"], directory, env=env, unset=unset)


def test_a_terminal_gets_colours_and_progress():
    text = everything({})
    for sequence in ("\033[31mBAD", "\033[31mtramline check: ", "\033[1m$ ", "\r\033[K"):
        assert sequence in text, repr(sequence)


def test_no_color_is_honoured():
    text = everything({"NO_COLOR": "1"})
    assert re.search(r"\033\[[0-9;]*m", text) is None
    assert "\r\033[K" in text  # a line that is rewritten has no colour
    assert "\033[31m" in everything({"NO_COLOR": ""})  # empty: not set


def test_a_dumb_terminal_gets_plain_text():
    for env, unset in (({"TERM": "dumb"}, ()), ({"TERM": ""}, ()), ({}, ("TERM",)),
                       ({"TERM": "dumb", "NO_COLOR": "1"}, ())):
        environ = dict(env)
        if "TERM" in unset:
            environ["TERM"] = ""
        text = everything(environ)
        assert "\033" not in text and "\r" not in text, repr(text[:2000])


# Carets


def columns(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1
               for c in text)


def check_caret(line, wrong, width):
    """The one error of a script whose line has `wrong`: each line of it fits, and the caret stands
    below the first letter of it."""
    text = terminal.shown(["check", "p.sql"], place(line + "\n"), width=width, env={"NO_COLOR": "1"})
    lines = text.splitlines()
    at = next(i for i, one in enumerate(lines) if one.strip() == "^")
    source, caret = lines[at - 1], lines[at]
    assert columns(source) < width, (columns(source), width, source)
    before, upto = "", columns(caret) - 1
    while columns(before) < upto:
        before = source[:len(before) + 1]
    assert source[len(before):].startswith(wrong[:5]), f"{width}\n{source}\n{caret}"
    # The place is that of the whole line, not of what is shown.
    column = columns(line[:line.index(wrong)]) + 1
    assert f"p.sql:1:{column}: error: " in text, text


def test_carets_stand_at_their_places_at_any_width():
    path = "x" * 60
    lines = [
        ("CREATE TABLE trips (trip_id TEXT) WITH (connector = 'filesystem', path = "
         f"'/{path}', format = 'cvs');", "'cvs'"),
        (f"CREATE TABLE trips (trip_id TEXTT) WITH (connector = 'filesystem', path = '/{path}', "
         "format = 'csv');", "TEXTT"),
        (f"SET job.name = '{'é' * 30}'; SET commit.rows = 'many'; SET spool = '/{path}';", "'many'"),
        (f"SET job.name = '{'車' * 30}'; SET commit.rows = 'many';", "'many'"),
        (f"SET spool = '{'e' + chr(0x301)}{'x' * 90}'; SET commit.rows = 'many'; -- {'車' * 50}",
         "'many'"),
        ("SET commit.rows = 'many';", "'many'"),
        (f"{' ' * 300}SET commit.rows = 'many'; -- {'y' * 300}", "'many'"),
    ]
    for width in (*range(20, 131, 3), 500):
        for line, wrong in lines:
            check_caret(line, wrong, width)
