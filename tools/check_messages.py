#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that each message for a user has a test with its exact text: check_messages.py [ROOT].

A message is, in src/,
  - the format of a call of a function that is declared PRINTF_LIKE (err_set, report_error, ...;
    not of FORMATTERS, which make any text), and
  - any other literal of two words or more: a reason, a hint, a piece that a call puts into its
    format. What is not a message is said by OUTPUT (calls), HELP (fields) and NO_MESSAGES (files).

A test has the text when one literal of tests/ matches all of it: fixed words as they are, a
conversion as anything, whole words at both ends, and ": " behind an err_context. Counted are
literals of C and Python tests that are not what the test itself says when it fails, and the
expected parts of data files (behind "=== report", "=== stderr", "=== stdout").

A format without a word of its own ("%s: %s") only relays. What it relays must come from another
message; from a library (FOREIGN) is refused: say in words what could not be done.

A count that may be 1 is made by text_counted, "1 row", "2 rows", here and in the log: "%zu rows" is
refused but for the most of something (MOST), and where there are always more (MANY).

--places prints FILE:FIRST-LAST, the lines of all messages.
"""
import ast
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
FORMATTERS = {"arena_printf", "buf_printf", "mem_printf", "log_line", "make"}
OUTPUT = set(
    "printf puts fputs log_debug log_info log_warn log_line print_number progress_begin progress_show"
    " strcmp strncmp strstr str_is str_starts_with refusal_says curl_slist_append curl_easy_setopt"
    " sqlite_exec sqlite3_prepare_v2 assert json_string json_pack".split()
)
HELP = {"about", "more", "help", "arguments", "exit_codes"}
HELP_TABLES = re.compile(r"\bstruct (flag|option_def|function)\b")
# Files with literals that are text of another kind: why.
NO_MESSAGES = {
    "src/codegen/codegen.c": "C source that it writes",
    "src/codegen/model.c": "C source that it writes",
    "src/codegen/public.c": "C source that it writes",
    "src/codegen/runtime.c": "C source that it writes",
    "src/codegen/show.c": "C source that it writes",
    "src/codegen/source.c": "C source that it writes",
    "src/cli/demo.c": "the script of the demo and what it tells",
    "src/cli/explain_text.c": "the plan that it prints",
    "src/cli/new_script.c": "the script that it writes",
    "src/core/set_options.c": "help of options",
    "src/csv/duckdb.c": "SQL that it prints",
    "src/generate/duckdb.c": "SQL that it prints",
    "src/gtfs/make_feed.c": "rows of the made feed",
    "src/sql/print.c": "SQL that it prints",
    "src/sql/print_expr.c": "SQL that it prints",
    "src/sql/print_spark.c": "SQL that it prints",
    "src/sql/print_spark_call.c": "SQL that it prints",
    "src/sql/print_spark_decode.c": "SQL that it prints",
    "src/sql/print_spark_expr.c": "SQL that it prints",
    "src/sql/sqlite_stream.c": "SQL that it runs",
    "src/testing/test_junit.c": "XML that it writes",
}
FOREIGN = set(
    "strerror rd_kafka_err2str rd_kafka_error_string rd_kafka_event_error_string"
    " rd_kafka_message_errstr curl_easy_strerror archive_error_string sqlite3_errmsg".split()
)
COUNT = re.compile(r"%l*[zdu]u? (?:short |dead )?(?:records|rows|partitions|letters|orders|files|folders|keys|columns|commits|entries|days"
                   r"|workers|members|offsets|fields|failures|tables)\b")
MOST = re.compile(r"(?:more than|at most|than the|of|until|first) (?:%[a-z]+ )?$")
# Texts with a count that is never 1, by how they go on: why.
MANY = {
    "%d columns, the most is": "beyond the most",
    "%zu columns, the most is": "beyond the most",
    "%d members share": "the option asks for two at least",
    "%d workers of job": "the most there are",
    "%lld workers share": "more than there are partitions",
    "%zu entries before": "the most that are looked at",
    "%zu fields for": "more than one column",
    "%zu fields; at most": "beyond the most",
    "%zu files in %s, but": "two at least",
    "%zu files, an entry has at most": "beyond the most",
}
# What a test says when it fails, and what it prints.
TEST_OUTPUT = {"fail_msg", "printf", "print_message", "print", "AssertionError", "Skip"}
# Messages that no test of bearable size reaches, as FILE: TEXT, and why.
UNTESTED = {
    "src/work/replay.c: 'the dead letters are not those that were there a moment ago; tramline verify tells more'":
        "a file of the result would have to change between two reads of a replay",
    "src/table/dimension.c: 'the joined tables have more rows than fit at %s: 1 GiB encoded for a key,"
    " 32 GiB for all; join fewer rows'": "it takes more than 1 GiB of rows in memory",
    "src/table/join_index.c: 'the keys of joined tables are too large: more than 1 GiB for one, or 16 GiB for"
    " all; join by others'": "it takes more than 1 GiB in one row",
    "src/table/table_store.c: 'more than 4,294,967,294 rows or 16 GiB of values; stage fewer rows'":
        "it takes more than 16 GiB",
    "src/job/relations.c: '%.*s: a row has more than %d MB as JSON'": "no table has such rows but by 64 MB of memory each",
    "src/work/tell_records.c: 'partition %d offset %d: this record of %zu bytes is too large for Spark SQL; take another"
    " engine'": "it takes a record of some 190 MB",
    "src/work/write_units.c: 'partition %d offset %d: the record and its rows are more than %d MB; run the script by"
    " another engine'": "it takes 1 GiB of rows of one record",
    "src/kafka/admin.c: \"topic '%s' on %s: not ready within %d ms\"":
        "a broker must end between its answer and what it said it did",
    "src/kafka/lookup.c: \"brokers %s: they do not tell their cluster's id\"":
        "only brokers older than 0.10.1 (2016)",
    "src/kafka/native_topic.c: \"brokers %s: they do not tell their cluster's id\"":
        "only brokers older than 0.10.1 (2016)",
    "src/wire/asking.c: \"broker %s:%d takes no version of a request that is known here; see client ="
    " 'librdkafka'\"": "only brokers of before Kafka 1.0 (2017)",
    "src/wire/lookup_admin.c: \"topic '%s' on %s: not ready within %d ms\"":
        "a broker must end between its answer and what it said it did",
    "src/wire/lookup_admin.c: \"group '%s': its coordinator is not right\"": "only a broker that breaks its protocol",
    "src/wire/security_tls.c: \"option 'kafka.ssl.ca.location' is missing, and the system's certificates cannot be"
    " read: %s\"": "OpenSSL says so only when memory is out",
    "src/wire/security.c: 'TLS cannot be used: %s'": "OpenSSL says so only when memory is out",
    "src/wire/security_tls.c: 'TLS cannot be used: %s'": "OpenSSL says so only when memory is out",
    "src/wire/kerberos.c: 'Kerberos: the broker does not prove who it is'":
        "the library ends the conversation before: it was told to want that",
    "src/wire/tls.c: \"the broker's certificate, or its authority's, is not valid yet (it is from %s on)\"":
        "Debian 12's openssl makes no certificate of tomorrow",
    "src/wire/tls.c: \"the broker's certificate is not right: %s; %s\"": "what else a certificate may have",
    "src/wire/token.c: \"option '%s': the command cannot be started: %s\"": "no process is left",
    "src/kafka/reader.c: \"topic '%s', partition %d: offset %lld came where %lld or a later one"
    " had to come\"": "only a broker that breaks its protocol",
}

TOKEN = re.compile(
    r'(?P<skip>//[^\n]*|/\*.*?\*/|^[ \t]*#(?:[^\n\\]|\\.)*|\s+)|(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<char>'(?:[^'\\]|\\.)*')|(?P<word>[A-Za-z_]\w*)|(?P<sign>.)", re.S | re.M)
CONVERSION = re.compile(r"%[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?:hh|h|ll|l|z|j|t)?([a-zA-Z%])")
PROSE = re.compile(r"[A-Za-z']{2,}[,;:]? [a-zA-Z(']{2,}")
STATEMENT = re.compile(r"(CREATE|SELECT|PRAGMA) ")  # SQL that is put together
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}


class Literal:
    """A string of C: text, line, the calls around it as (name, number of the argument), the
    field that it is the value of, and whether it stands in a table of help."""

    def __init__(self, text, line, call_line, calls, field, is_help):
        self.text, self.line, self.calls = text, line, calls
        self.call_line = call_line  # of the name of the innermost call
        self.field, self.is_help = field, is_help
        self.call_words = set()  # all words of the innermost call


def unescape(text):
    return re.sub(r"\\(.)", lambda m: ESCAPES.get(m[1], m[1]), text, flags=re.S)


def tokens_of(source):
    line = 1
    for match in TOKEN.finditer(source):
        if match.lastgroup != "skip":
            yield match.lastgroup, match.group(), line
        line += match.group().count("\n")


def joined(tokens, at):
    """A literal with the adjacent ones and macros (PRId64 as d, others as %s), and its end."""
    value = ""
    while at < len(tokens):
        kind, text, _ = tokens[at]
        if kind == "text":
            value += text[1:-1]
        elif kind == "word" and re.fullmatch(r"[A-Z][A-Z_0-9a-z]+", text):
            value += "d" if text.startswith("PRI") else "%s"
        else:
            break
        at += 1
    return unescape(value), at


class Bracket:
    def __init__(self, name, at):
        self.name, self.at, self.number, self.literals = name, at, 1, []


def literals_of(source):
    tokens = list(tokens_of(source))
    found, brackets, statement, at = [], [Bracket("", 0)], 0, 0
    while at < len(tokens):
        kind, text, line = tokens[at]
        if kind == "text":
            field = tokens[at - 2][1] if at > 1 and tokens[at - 1][1] == "=" else ""
            head = " ".join(t for _, t, _ in tokens[statement:statement + 12])
            value, at = joined(tokens, at)
            calls = [(b.name, b.number) for b in brackets if b.name]
            call_line = tokens[max(brackets[-1].at - 1, 0)][2] if brackets[-1].name else line
            found.append(Literal(value, line, call_line, calls, field,
                                 bool(HELP_TABLES.search(head))))
            brackets[-1].literals.append(found[-1])
            continue
        if kind == "sign" and text in "([{":
            is_call = text == "(" and at > 0 and tokens[at - 1][0] == "word"
            brackets.append(Bracket(tokens[at - 1][1] if is_call else "", at))
        elif kind == "sign" and text in ")]}" and len(brackets) > 1:
            closed = brackets.pop()
            for literal in closed.literals:
                literal.call_words = {t for k, t, _ in tokens[closed.at:at] if k == "word"}
        elif text == "," and kind == "sign":
            brackets[-1].number += 1
        elif text in ";}" and not any(b.name for b in brackets):
            statement = at + 1
        at += 1
    return found


def formats_of(sources):
    """{function: number of its format} for all that are declared PRINTF_LIKE, and the
    functions with `...` that are not."""
    text = "\n".join(re.sub(r"//[^\n]*", "", s) for s in sources.values())
    declared = re.findall(r"\b(\w+)\s*\([^;{}()]*\.\.\.\)\s*PRINTF_LIKE\((\d+)", text)
    variadic = set(re.findall(r"\b(\w+)\s*\([^;{}()]*\.\.\.\)\s*[;{]", text))
    return {name: int(n) for name, n in declared}, variadic - {name for name, _ in declared}


class Message:
    def __init__(self, path, literal, is_context):
        self.path, self.line, self.text = path, literal.line, literal.text
        self.call_line = literal.call_line
        self.is_context, self.call_words = is_context, literal.call_words

    @property
    def key(self):
        return f"{self.path}: {self.text!r}"

    def is_relay(self):
        return not re.search(r"[A-Za-z]{2}", CONVERSION.sub(" ", self.text))

    def pattern(self):
        """What finds the message in a test's literal."""
        text, out, at = self.text, "", 0
        for match in CONVERSION.finditer(text):
            out += re.escape(text[at:match.start()])
            at = match.end()
            before, after = text[:match.start()], text[match.end():]
            if match[1] == "%":
                out += "%"
            elif match[1] in "diuxX":
                out += r"(?:-?[0-9a-fA-F]+|%\w+|\{\}|<\w+>)"
            elif before.endswith("'") and after.startswith("'"):
                out += r"[^'\n]*?"
            elif re.search(r"%[.*]*s$", before) or after.startswith("%"):
                out += r"[^\n]*?"
            else:
                out += r"[^\n]+?" if out else r"\S[^\n]*?"
        out += re.escape(text[at:])
        start = r"(?<![A-Za-z0-9])" if re.match(r"\w", text) else ""
        end = ": " if self.is_context else r"(?![A-Za-z0-9])" if re.search(r"\w$", text) else ""
        return re.compile(start + out + end)


def counts_of(path, source):
    """Places where "1 rows" could be said."""
    if path in NO_MESSAGES:
        return
    for literal in literals_of(source):
        for match in COUNT.finditer(literal.text):
            begin, rest = literal.text[:match.start()], literal.text[match.start():]
            if not MOST.search(begin) and not any(rest.startswith(many) for many in MANY):
                yield f"{path}:{literal.line}: {match[0]!r} may be 1; text_counted() makes it"


def messages_of(path, source, formats):
    used = set()
    messages = []
    for literal in literals_of(source):
        name, number = literal.calls[-1] if literal.calls else ("", 0)
        if name in formats and name not in FORMATTERS and formats[name] == number:
            messages.append(Message(path, literal, name == "err_context"))
        elif not PROSE.search(literal.text) or literal.field in HELP or literal.is_help:
            continue
        elif {n for n, _ in literal.calls} & OUTPUT:
            continue
        elif name in ("buf_printf", "buf_text") and STATEMENT.match(literal.text):
            continue
        elif path in NO_MESSAGES:
            used.add(path)
        else:
            messages.append(Message(path, literal, False))
    return messages, used


def c_texts(source):
    for literal in literals_of(source):
        if not {name for name, _ in literal.calls} & TEST_OUTPUT:
            yield literal.text


def python_texts(source):
    """Strings of a Python file; {} stands for what an f-string fills in."""

    def walk(node):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in TEST_OUTPUT:
            return
        if isinstance(node, ast.JoinedStr):
            yield "".join(p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)
            return
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        for child in ast.iter_child_nodes(node):
            yield from walk(child)

    return walk(ast.parse(source))


def data_texts(source):
    """The expected parts of a data file."""
    for part in re.split(r"^=== ", source, flags=re.M)[1:]:
        head, _, body = part.partition("\n")
        if head.split()[0] in ("report", "stderr", "stdout"):
            yield body


def test_texts(root):
    readers = [("*/*.[ch]", c_texts), ("*.h", c_texts), ("e2e/*.py", python_texts),
               ("unit/sql_errors/*.txt", data_texts), ("e2e/messages/*.txt", data_texts)]
    texts = set()
    for pattern, reader in readers:
        for path in (root / "tests").glob(pattern):
            texts.update(reader(path.read_text()))
    return texts


def is_tested(message, texts):
    longest = max(CONVERSION.split(message.text)[::2], key=len)
    pattern = message.pattern()
    return any(longest in text and pattern.search(text) for text in texts)


def wrong_with(message, texts):
    if not message.is_relay():
        return None if is_tested(message, texts) else "no test has this message"
    foreign = sorted(FOREIGN & message.call_words)
    return f"shows {foreign[0]}() alone; say in words what could not be done" if foreign else None


def breaches_of(root, messages):
    texts = test_texts(root)
    wrong = {}
    for message in messages:
        if why := wrong_with(message, texts):
            wrong.setdefault(message.key, f"{message.path}:{message.line}: {why}: {message.text!r}")
    yield from (wrong[key] for key in wrong if key not in UNTESTED)
    if root == ROOT:
        yield from (f"UNTESTED: has a test, or is gone; needs no exemption: {key}"
                    for key in UNTESTED if key not in wrong)


def main():
    options = {a for a in sys.argv[1:] if a.startswith("--")}
    folders = [a for a in sys.argv[1:] if not a.startswith("--")]
    root = pathlib.Path(folders[0]) if folders else ROOT
    paths = sorted((root / "src").rglob("*.[ch]"))
    sources = {str(p.relative_to(root)): p.read_text() for p in paths}
    formats, unmarked = formats_of(sources)
    messages, used = [], set()
    for path, source in sources.items():
        of_file, used_here = messages_of(path, source, formats)
        messages += of_file
        used |= used_here
    if "--places" in options:
        print("\n".join(f"{m.path}:{m.call_line}-{m.line}" for m in messages))
        return 0
    breaches = [f"{name}() takes a format; declare it PRINTF_LIKE" for name in sorted(unmarked)]
    for path, source in sources.items():
        breaches += counts_of(path, source)
    breaches += breaches_of(root, messages)
    breaches += [f"NO_MESSAGES: {path} needs no exemption" for path in sorted(NO_MESSAGES)
                 if path in sources and path not in used]
    print("\n".join(breaches + [f"messages: {len(messages)} places, {len(breaches)} breaches"]))
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
