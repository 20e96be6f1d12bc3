# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: limit 400
"""Schema resolution on pairs of schemas made by chance, datum by datum, as fastavro and Java's
Avro do it. Each rule is hit at least 30 times.

Where the two do not keep to the specification is in DEVIATIONS, with what they do; docs/avro.md
says so too.
"""
import collections
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

# Rules whose pairs an implementation reads though the specification says that they do not match.
DEVIATIONS = {
    "fastavro": {"other_scale"},
    "java": {"other_scale", "other_record_name"},
}
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


def expected_row(case, value):
    row = []
    for path, kind, _ in case.columns:
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


def compare(case, ours, theirs, who):
    for i, (mine, other) in enumerate(zip(our_rows(ours, len(case.data)), theirs)):
        is_wrong = is_error(other) or set(case.rules) & DEVIATIONS[who]
        check(case, i, mine, "an error" if is_wrong else expected_row(case, other),
              f"{who} says {other}")


def jobs_of(cases):
    return [{k: v for k, v in case.job().items() if k != "columns"} for case in cases]


def compare_all(cases, who, oracle):
    hits = collections.Counter()
    cases = [case for case in cases if not set(case.rules) & NOT_COMPARED[who]]
    answers = zip(cases, avro_oracles.ours([c.job() for c in cases]), oracle(jobs_of(cases)))
    for case, ours, theirs in answers:
        compare(case, ours, theirs, who)
        hits.update(case.rules * len(case.data))
    return hits


def check_hits(hits, rules, who):
    few = {name: hits[name] for name in rules - NOT_COMPARED[who] if hits[name] < HITS_MIN}
    assert not few, f"hit less than {HITS_MIN} times: {few}"
    print(f"{sum(hits.values())} data agree with {who}; the rule hit least: "
          f"{min(hits.items(), key=lambda item: item[1])}")


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


lib.main()
