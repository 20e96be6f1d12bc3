# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""Codes of errors, errors as JSON lines, the log as JSON lines."""
import json
import re
import sys

import file_job
import lib
import results

sys.path.insert(0, str(lib.ROOT / "tools"))
import error_codes  # noqa: E402

BAD = """CREATE TABLE a (x TEXTT, y INT) WITH (connector = 'filesystem', path = '/tmp/a', format = 'csv');
SELECT 1;
"""


def unescaped(text):
    return text.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\")


def as_told(text):
    """A text that the program makes by this format: words for %s, numbers for the others."""
    return error_codes.check_messages.CONVERSION.sub(
        lambda m: "%" if m[1] == "%" else "7" if m[1] in "diuxX" else "xyz", unescaped(text))


def explained(asked):
    done = lib.run("explain-error", asked, code=None)
    return done.out.partition(":")[0] if done.code == 0 else None


def test_each_code_explains_itself():
    for code, text in error_codes.read_table(lib.ROOT)[::23]:
        if text != "gone":
            assert explained(code) == code, code
            assert explained(code.lower()) == code, code


def test_each_error_is_found_by_its_text():
    """With what commands put around it. One whose own words are all in another's, or few, may be
    taken for that; they are counted."""
    other = []
    for code, text in error_codes.read_table(lib.ROOT)[::1 if lib.is_long() else 5]:
        letters = len(re.sub(r"[^A-Za-z]", "", error_codes.check_messages.CONVERSION.sub("", unescaped(text))))
        if text == "gone" or letters < 8:
            continue
        found = explained(f"tramline run: context: {as_told(text)}")
        if found != code:
            other.append((code, found, text))
    print("\n".join(map(str, other)))
    assert len(other) <= 12, other


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


def script(text):
    path = lib.tmp_dir() / "p.sql"
    path.write_text(text)
    return path


def test_a_scripts_errors_are_lines_with_their_places():
    path = script(BAD)
    for words in (("check", path, "--log-format", "json"), ("explain", path, "--json")):
        done = lib.run(*words, code=2)
        first, second, last = json_lines(done.err)
        assert re.fullmatch(r"TL1\d\d\d", first.pop("code")), first
        assert first == {
            "level": "error", "exit_code": 2, "text": "unknown type 'textt'", "hint": "did you mean TEXT?",
            "suggestion": "TEXT", "file": str(path), "line": 1, "column": 19, "near": "TEXTT"}, first
        assert (second["line"], second["column"], second["near"]) == (2, 1, "SELECT"), second
        assert last["command"] == words[0] and last["text"] == f"{path} has errors; nothing was done", last
        assert re.fullmatch(r"TL9\d\d\d", last["code"]), last
        assert done.out == ""


def test_a_wrong_command_line_is_one_too():
    (line,) = json_lines(lib.run("verify", "--json", "--dep", "p.sql", code=2).err)
    assert (line["command"], line["exit_code"]) == ("verify", 2), line
    assert (line["text"], line["suggestion"]) == (
        "there is no option '--dep'; did you mean --deep?", "--deep"), line


def test_text_is_what_it_was_without():
    done = lib.run("check", script(BAD), code=2)
    assert ":1:19: error: unknown type 'textt'\n" in done.err, done.err
    done = lib.run("check", "--log-format", "xml", "p.sql", code=2)
    assert "--log-format takes text or json, not 'xml'" in done.err, done.err


def test_an_unknown_error_is_said():
    done = lib.run("explain-error", "nothing", code=2)
    assert done.err == ("tramline explain-error: no error has the code or the text 'nothing'; "
                        "give one as it was told, or a code such as TL1002\n"), done.err


def test_a_code_that_is_none_leads_to_the_nearest():
    codes = [code for code, _ in error_codes.read_table(lib.ROOT)]
    for asked, near in (("TL0", codes[0]), ("tl9999999", codes[-1]), (f"TL{int(codes[0][2:]) - 1}", codes[0])):
        done = lib.run("explain-error", asked, code=2)
        assert done.err == f"tramline explain-error: no error has the code '{asked}'; did you mean {near}?\n", done.err
    for asked in ("TLx", "TL", "TL-1", "12"):
        assert "; give one as it was told" in lib.run("explain-error", asked, code=2).err, asked


def test_words_of_the_parser_have_codes():
    """All that it can say of a text, as the program then tells it."""
    for text in ("SELEC 1;", "SELECT (;", "SELECT 'a", 'SELECT "a', "SELECT 1 /* a", "SELECT $$a", 'SELECT ""'):
        line, *_ = json_lines(lib.run("check", script(text), "--log-format", "json", code=2).err)
        assert re.fullmatch(r"TL1\d\d\d", line.get("code", "")), line
        assert explained(line["text"]) == line["code"], line


def test_reasons_of_dead_letters_are_explained():
    job = file_job.FileJob(3, {})
    visits = job.directory / "visits.csv"
    with open(visits, "ab") as file:
        file.write(b'a\na,b,1,2\n,b,1\na,b,3000000000\na,b\xff,1\na,b\x00,1\na,"b"c,1\na,"b\n')
    lib.run("run", job.script, "--once", code=None)
    reasons = {letter["reason"] for letter in results.dead_letters(job.result)}
    assert len(reasons) >= 8, reasons
    for reason in reasons:
        assert explained(reason), reason
    for name, says in (("unreadable", "its bytes are not a row of the stream"),
                       ("query", "the query fails for it, or gives what the result cannot hold"),
                       ("too_large", "it gives too many rows")):
        assert lib.run("explain-error", name).out.startswith(f"{name}: of a dead letter: {says}.\n"), name


# What users meet most: scripts, dead letters of CSV and Avro, schemas, tables, Kafka, HDFS, the registry, the log,
# feeds, the command line.
MET = """1069 1107 1109 1110 1111 1112 1114 1116 1117 1121 1065 2099 2100 2101 2104 2106 2107 2108 2109 2110 2111 2112 2113
2114 2115 2116 2117 2118 2119 2120 2121 2122 2123 2124 2125 2126 2127 2128 2129 2130 2131 2132 2133 2134 2135 2136 2137
2042 2065 2068 2070 2088 2093 3012 3041 3043 3045 3049 4003 4004 4005 4006 4009 4018 4020 4022 4025 4027 4029 4032 4033
5005 5008 5013 5015 5019 5026 5028 5029 5030 6002 6005 6009 6013 6018 7003 7005 7014 7016 7026 7028 7052 7058 7059 7060
7063 7065 7066 8014 8015 8021 8025 8028 8030 9026 9052 9073 9081 9102 9132"""


def test_what_users_meet_is_explained():
    explanations = error_codes.read_explanations(lib.ROOT)
    assert all(len(why) > 30 and len(way) > 15 for why, way in explanations.values())
    texts = dict(error_codes.read_table(lib.ROOT))
    for number in MET.split():
        assert f"TL{number}" in explanations and texts[f"TL{number}"] != "gone", number
    for number in MET.split()[::7]:
        assert "\nWhat to do: " in lib.run("explain-error", as_told(texts[f"TL{number}"])).out, number


def test_an_explanation_says_why_and_what_to_do():
    why, way_out = error_codes.read_explanations(lib.ROOT)["TL2108"]
    told = lib.run("explain-error", "column n: 'x' is not an INT").out
    assert told.startswith("TL2108: column ...: ... is not an INT\n\n"), told
    assert f"\nWhy: {why}\nWhat to do: {way_out}\n\n" in told, told
    page = (lib.ROOT / "docs/errors.md").read_text()
    assert f"| TL2108 | column …: … is not an INT | {why} {way_out} |" in page


def test_the_log_as_json_lines():
    job = file_job.FileJob(20, {})
    lines = json_lines(lib.run("run", job.script, "--once", "--log-format", "json").err)
    assert lines and all(line.keys() == {"time", "level", "text"} for line in lines), lines
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]) for line in lines)
    assert {line["level"] for line in lines} <= {"debug", "info", "warn", "error"}, lines


def test_the_page_is_the_tables():

    page = (lib.ROOT / "docs/errors.md").read_text()
    for code, text in error_codes.read_table(lib.ROOT):
        assert (f"| {code} |" in page) == (text != "gone"), code
