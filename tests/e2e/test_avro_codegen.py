# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
# test: limit 400
"""Generated code compiles as C and C++ without a warning, reads and writes what fastavro does,
and reads nothing past the end of broken data (AddressSanitizer)."""
import json
import random
import shutil
import subprocess

import avro_cases
import avro_oracles
import lib

HERE = avro_oracles.HERE
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
SANITIZE = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
COMPILERS = [["gcc", "-std=c17"], ["g++", "-std=c++17", "-x", "c++"],
             ["clang", "-std=c17"], ["clang++", "-std=c++17", "-x", "c++"]]
LIMIT_S = 100


def run(command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=LIMIT_S, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}"[-4000:])
    return done.stdout


def generate(schema, prefix="x_"):
    place = lib.tmp_dir()
    (place / "made.avsc").write_text(json.dumps(schema))
    run([avro_oracles.tool(), "codegen", place / "made.avsc", prefix, place / "made.h",
         place / "made.c"])
    return place


def compile_driver(place, root, compiler):
    if shutil.which(compiler[0]) is None:
        raise lib.Skip(f"no {compiler[0]} here")
    program = place / f"driver-{compiler[0]}"
    run([*compiler, *WARNINGS, *SANITIZE, "-I", place, '-DHEADER="made.h"', f"-DROOT={root}",
         place / "made.c", HERE / "codegen_driver.c", "-o", program])
    return program


def same(text, value):
    """Whether the text's JSON is the oracle's value: bytes stand as code points."""
    if isinstance(value, dict) and set(value) == {"hex"}:
        return text == bytes.fromhex(value["hex"]).decode("latin-1")
    if isinstance(value, dict):
        return text.keys() == value.keys() and all(same(text[k], v) for k, v in value.items())
    if isinstance(value, list):
        return len(text) == len(value) and all(map(same, text, value))
    return repr(text) == repr(value) or (not isinstance(value, str) and text == value)


def root_of(schema, prefix="x_"):
    return prefix + schema["name"]


class PlainEncoder(avro_cases.Encoder):
    """Arrays and maps in one block without its size, as the generated code writes them."""

    def items(self, one):
        items = [one() for _ in range(self.rng.randint(0, 3) if self.depth < 6 else 0)]
        count = avro_cases.zigzag(len(items)) if items else b""
        return count + b"".join(items) + b"\0"


def check_round_trip(schema, program, n_data, seed):
    rng = random.Random(seed)
    data = [PlainEncoder(rng).datum(schema).hex() for _ in range(n_data)]
    (values,) = avro_oracles.fastavro([{"writer": schema, "reader": schema, "data": data}])
    lines = run([program], input="".join(d + "\n" for d in data)).split("\n")[:-1]
    assert len(lines) == n_data
    for datum, value, line in zip(data, values, lines):
        result, _, rest = line.partition("\t")
        text, _, encoded = rest.rpartition("\t")
        assert result == "good", (result, datum)
        assert same(json.loads(text), value), f"{text}\n  fastavro: {value}"
        assert encoded == datum
    return data


STOP_TIME = avro_cases.record(
    "stop_time", *[avro_cases.named(n, t) for n, t in [
        ("trip_id", "string"), ("arrival_time", ["null", "string"]),
        ("departure_time", ["null", "string"]), ("stop_id", "string"),
        ("stop_sequence", ["int", "null"])]], namespace="gtfs")


def test_stop_times_by_all_compilers():
    place = generate(STOP_TIME, "gtfs_")
    for compiler in COMPILERS:
        program = compile_driver(place, "gtfs_stop_time", compiler)
        check_round_trip(STOP_TIME, program, 50, 1)


def everything():
    return json.loads((HERE / "everything.avsc").read_text())


def test_every_type_and_hard_names_compile():
    place = generate(everything())
    for compiler in COMPILERS:
        compile_driver(place, "x_a_b_Everything", compiler)


def test_defaults_are_set():
    program = compile_driver(generate(everything()), "x_a_b_Everything", COMPILERS[0])
    text = json.loads(run([program, "defaults"], stdin=subprocess.DEVNULL))
    # From the schema, by hand.
    expected = {"bool": True, "int": -5, "class": 123456789012, "class_": 1.5, "d": 0,
                "s": "\u00e9\"\\", "b": "\u00ff", "e": "init", "f": "abcd", "opt": None,
                "opt2": "x", "opt3": None, "u": None, "arr": [],
                "arr2": [["RED"], ["text", "init"]], "nest": {"y": 9, "leaf": None}}
    assert {key: text[key] for key in expected} == expected, text


def logical(name, kind, word, **more):
    return avro_cases.named(name, {"type": kind, "logicalType": word, **more})


def test_logical_types_show_as_text():
    schema = avro_cases.record(
        "moments", logical("date", "int", "date"), logical("time", "int", "time-millis"),
        logical("micros", "long", "time-micros"), logical("at", "long", "timestamp-millis"),
        logical("precise", "long", "timestamp-micros"),
        logical("local", "long", "local-timestamp-millis"))
    program = compile_driver(generate(schema), "x_moments", COMPILERS[0])
    # 20779 days: date -u -d 2026-11-22 +%s divided by 86400.
    numbers = [20779, 36000123, 86399999999, 20779 * 86400000 + 1, -1, -86400000]
    line = b"".join(map(avro_cases.zigzag, numbers)).hex()
    text = run([program], input=line + "\n").split("\t")[1]
    assert list(json.loads(text).values()) == [
        "2026-11-22", "10:00:00.123", "23:59:59.999999", "2026-11-22T00:00:00.001Z",
        "1969-12-31T23:59:59.999999Z", "1969-12-31T00:00:00.000"], text


def schemas(seed, n):
    """Writers' schemas of the resolution tests: several rules each."""
    rng = random.Random(seed)
    names = sorted(avro_cases.RULES)
    for _ in range(n):
        chosen = rng.sample(names, 12)
        yield avro_cases.Case(rng, [(name, avro_cases.RULES[name]) for name in chosen], 0).writer


def test_schemas_made_by_chance():
    for i, schema in enumerate(schemas(7, 12 if lib.is_long() else 4)):
        program = compile_driver(generate(schema), "x_top", COMPILERS[i % 2])
        data = check_round_trip(schema, program, 30, i)
        run([program, "fuzz"], input="".join(d + "\n" for d in data[:10]))


def test_broken_data_is_refused():
    program = compile_driver(generate(STOP_TIME), root_of(STOP_TIME), COMPILERS[0])
    data = check_round_trip(STOP_TIME, program, 20, 3)
    run([program, "fuzz"], input="".join(d + "\n" for d in data))
    lines = run([program], input="0a41\n0100\n024100000000\n02410000020002ff\n").split("\n")
    assert lines[:4] == ["cut off", "wrong data", "cut off", "wrong data"], lines


def test_deep_recursion_is_refused():
    schema = avro_cases.record("node", avro_cases.named("next", ["null", "node"]))
    program = compile_driver(generate(schema), "x_node", COMPILERS[0])
    lines = run([program], input="02" * 150 + "00\n" + "02" * 5000 + "00\n").split("\n")
    assert lines[0].startswith("good\t"), lines[0]
    assert lines[1] == "too deep", lines[1]


lib.main()
