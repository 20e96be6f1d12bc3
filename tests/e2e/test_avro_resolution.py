# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""Schema resolution on pairs of schemas made by chance, datum by datum, as fastavro and Java's
Avro do it. Each rule is hit at least 30 times.

Where the two do not keep to the specification is in DEVIATIONS, with what they do; docs/avro.md
says so too.
"""
import collections
import datetime
import decimal
import struct

import avro_cases
import avro_oracles
import lib

N_PAIRS, N_DATA = 600, 8
N_NEVER, N_NEVER_DATA = 120, 4
SEED = 1
if lib.is_long():
    N_PAIRS, N_NEVER = 6000, 600
HITS_MIN = 30

# Of two logical types that measure otherwise the specification says nothing, and both read the one's
# numbers as the other's. We refuse.
OURS = {"other_logical"}
# Rules whose pairs an implementation reads though the specification says that they do not match.
DEVIATIONS = {
    "fastavro": {"other_scale", "other_precision", *OURS},
    "java": {"other_scale", "other_precision", "other_record_name", *OURS},
}
# What happens to single data of a rule's pairs; each is to be seen as often as a rule.
OUTCOMES = {"enum_with_default": "default", "enum_without_default": "refused", "union_of_writer": "refused",
            "union_of_records": "refused"}
# A default record's own missing fields stay missing with fastavro.
NOT_COMPARED = {"fastavro": {"record_added"}, "java": set()}


def value_at(value, path):
    """The value of field "a.b"; NULL where a record on the way is null or another branch."""
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return None
        value = value[name]
    return value


def as_column(value, kind, is_default=False):
    """An oracle's value as the column shows it."""
    if value is None:
        return None
    if is_default and kind == "BYTES" and isinstance(value, str):
        return {"hex": value.encode("latin-1").hex()}  # fastavro leaves it as the JSON's text
    if kind == "BYTES" and isinstance(value, str):
        return {"hex": value.encode().hex()}
    if kind == "TEXT" and isinstance(value, dict):
        return bytes.fromhex(value["hex"]).decode()
    if kind == "REAL":
        return float(value)
    return value


def names_of(fields, kind=None):
    return {f["name"] for f in fields if kind is None or f["type"] == kind}


EPOCH = datetime.datetime(1970, 1, 1)


def logical_text(kind, value):
    """What docs/avro.md says that a logical type's datum is as text, by Python's datetime and decimal."""
    name = kind["logicalType"]
    if name in ("uuid", "decimal", "duration"):
        return other_text(kind, value)
    if name == "date":
        return (EPOCH + datetime.timedelta(days=value)).date().isoformat()
    unit, digits = ("microseconds", "microseconds") if name.endswith("micros") else ("milliseconds", "milliseconds")
    moment = EPOCH + datetime.timedelta(**{unit: value})
    if name.startswith("time-"):
        return moment.time().isoformat(timespec=digits)
    return moment.isoformat(timespec=digits) + ("" if name.startswith("local") else "Z")


def other_text(kind, value):
    if kind["logicalType"] == "uuid":
        return value
    data = bytes.fromhex(value["hex"])
    if kind["logicalType"] == "decimal":
        number = decimal.Decimal(int.from_bytes(data, "big", signed=True)).scaleb(-kind.get("scale", 0),
                                                                              decimal.Context(prec=99))
        return format(number, "f")
    months, days, millis = struct.unpack("<III", data)
    seconds = f"{millis // 1000}.{millis % 1000:03}".removesuffix(".000")
    parts = [f"{months}M" * (months > 0), f"{days}D" * (days > 0), f"T{seconds}S" * (millis > 0)]
    return f"P{''.join(parts) or 'T0S'}"


def logical_kind(fields, path):
    """The logical type of the reader's field; NULL when it has none that is shown as text."""
    (kind,) = [f["type"] for f in fields if f["name"] == path] or [None]
    for branch in kind if isinstance(kind, list) else [kind]:
        if isinstance(branch, dict) and branch.get("logicalType") in avro_cases.SHOWN_AS_TEXT:
            return branch
    return None


def expected_row(case, value):
    row = []
    for path, kind, _ in case.columns:
        shown = logical_kind(case.reader["fields"], path)
        if shown and kind == "TEXT":
            datum = value_at(value, path)
            row.append(None if datum is None else logical_text(shown, datum))
            continue
        is_default = path not in names_of(case.writer["fields"])
        column = as_column(value_at(value, path), kind, is_default)
        # fastavro reads an int as a float without rounding it to one.
        if column is not None and path in names_of(case.reader["fields"], "float"):
            column = struct.unpack("<f", struct.pack("<f", column))[0]
        row.append(column)
    return row


def is_error(answer):
    return isinstance(answer, dict) and set(answer) == {"error"}


def our_rows(answer, n):
    """Ours as a list of rows or reasons; a schema that is refused refuses each datum."""
    assert "open" not in answer, answer
    return answer["rows"] if "rows" in answer else [answer["schema"]] * n


def check(case, i, mine, wanted, note):
    got = "an error" if isinstance(mine, str) else mine
    assert repr(wanted) == repr(got), (
        f"datum {i}: wants {wanted}, got {got}\n  we say {mine}\n  {note}\n  {case}")


def outcomes(case, wanted):
    """Of a datum whose pair has one rule of OUTCOMES: what came of it."""
    rules = set(case.rules) & (set(OUTCOMES) | {"union_of_many"})
    (rule,) = rules if len(rules) == 1 else (None,)
    if rule in OUTCOMES and wanted == "an error":
        yield f"{rule}: refused"
    if rule == "enum_with_default" and "Z" in wanted:
        yield f"{rule}: default"


def compare(case, ours, theirs, who, hits):
    for i, (mine, other) in enumerate(zip(our_rows(ours, len(case.data)), theirs)):
        is_wrong = is_error(other) or set(case.rules) & DEVIATIONS[who]
        wanted = "an error" if is_wrong else expected_row(case, other)
        check(case, i, mine, wanted, f"{who} says {other}")
        hits.update(outcomes(case, wanted))


def jobs_of(cases):
    return [{k: v for k, v in case.job().items() if k != "columns"} for case in cases]


def compare_all(cases, who, oracle):
    hits = collections.Counter()
    cases = [case for case in cases if not set(case.rules) & NOT_COMPARED[who]]
    answers = zip(cases, avro_oracles.ours([c.job() for c in cases]), oracle(jobs_of(cases)))
    for case, ours, theirs in answers:
        compare(case, ours, theirs, who, hits)
        hits.update(case.rules * len(case.data))
    return hits


def check_hits(hits, rules, who):
    wanted = rules - NOT_COMPARED[who]
    wanted |= {f"{rule}: {outcome}" for rule, outcome in OUTCOMES.items() if rule in wanted}
    few = {name: hits[name] for name in wanted if hits[name] < HITS_MIN}
    assert not few, f"hit less than {HITS_MIN} times: {few}"
    print(f"{sum(hits.values())} hits of {len(wanted)} rules agree with {who}; the rule hit least: "
          f"{min((hits[rule], rule) for rule in wanted)}")


def check_pairs(who, oracle):
    hits = compare_all(list(avro_cases.cases(SEED, N_PAIRS, N_DATA)), who, oracle)
    check_hits(hits, set(avro_cases.RULES), who)


def check_never(who, oracle):
    """Pairs that never match are refused when the schema is seen, not with the first datum."""
    cases = list(avro_cases.never_cases(SEED, N_NEVER, N_NEVER_DATA))
    for case, ours in zip(cases, avro_oracles.ours([c.job() for c in cases])):
        assert "schema" in ours and "f0" in ours["schema"], f"{ours}\n  {case}"
    check_hits(compare_all(cases, who, oracle), set(avro_cases.NEVER), who)


def test_pairs_as_fastavro_reads_them():
    check_pairs("fastavro", avro_oracles.fastavro)


def test_pairs_as_java_reads_them():
    check_pairs("java", avro_oracles.java)


def test_pairs_that_never_match_by_fastavro():
    check_never("fastavro", avro_oracles.fastavro)


def test_pairs_that_never_match_by_java():
    check_never("java", avro_oracles.java)


# Without a schema of the reader's: columns take the fields as they were written.

FITS = {"TEXT": (str,), "BYTES": (str, dict), "INT": (int,), "BIGINT": (int,),
        "REAL": (int, float), "BOOLEAN": (bool,)}


def fits(value, kind):
    if kind == "TEXT" and isinstance(value, dict):
        return set(value) == {"hex"}
    return isinstance(value, FITS[kind]) and (kind == "BOOLEAN") == isinstance(value, bool)


def row_as_written(case, value):
    values = [(value_at(value, path), kind) for path, kind, _ in case.columns]
    for i, (path, kind, _) in enumerate(case.columns):
        shown = logical_kind(case.writer["fields"], path)
        if shown and kind == "TEXT" and values[i][0] is not None:
            values[i] = logical_text(shown, values[i][0]), kind
    if any(v is not None and not fits(v, kind) for v, kind in values):
        return "an error"
    return [as_column(v, kind) for v, kind in values]


def test_columns_without_a_readers_schema():
    cases = list(avro_cases.cases(SEED + 1, N_PAIRS, N_DATA))
    ours = avro_oracles.ours([{**case.job(), "reader": None} for case in cases])
    theirs = avro_oracles.java([{**job, "reader": job["writer"]} for job in jobs_of(cases)])
    n_rows = 0
    for case, mine, other in zip(cases, ours, theirs):
        for i, (row, value) in enumerate(zip(our_rows(mine, len(case.data)), other)):
            check(case, i, row, row_as_written(case, value), f"java says {value}")
            n_rows += not isinstance(row, str)
    assert n_rows > len(cases) * N_DATA / 2, n_rows
