# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""Generated code compiles as C and C++ without a warning, reads and writes what fastavro does,
and reads nothing past the end of broken data (AddressSanitizer)."""
import json
import os
import random
import re
import struct
import subprocess

import avro_cases
import avro_oracles
import codegen_cases
import lib

HERE = avro_oracles.HERE
SCHEMAS = lib.ROOT / "tests/fuzz/schemas"
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


def generate(schema, prefix="x_", name="made", place=None):
    place = place or lib.tmp_dir()
    (place / f"{name}.avsc").write_text(json.dumps(schema))
    lib.run("codegen", place / f"{name}.avsc", "--prefix", prefix, "--out", place)
    return place


def check_warnings(place, optimise="-O0"):
    """By all compilers; nothing is linked."""
    for compiler in COMPILERS:
        run([*compiler, *WARNINGS, optimise, "-fsyntax-only", "-I", place, place / "made.c"])


def link(place, compiler, sources, options=()):
    program = place / f"program-{compiler[0]}"
    run([*compiler, *WARNINGS, *SANITIZE, "-I", place, *options, *sources, "-o", program])
    return program


def compile_driver(place, root, compiler):
    return link(place, compiler, [place / "made.c", HERE / "codegen_driver.c"],
                ['-DHEADER="made.h"', f"-DROOT={root}"])


def check_round_trip(schema, program, n_data, seed):
    """What fastavro reads from a datum stands in the text, also when it wrote the datum itself;
    what is encoded is the datum again."""
    data = [codegen_cases.Encoder(random.Random(f"{seed} {i}"), schema).datum(schema).hex()
            for i in range(n_data)]
    (answer,) = avro_oracles.ask(
        [avro_oracles.fastavro_python(), HERE / "fastavro_oracle.py"],
        [{"rewrite": schema, "data": data}])
    written = [entry["written"] for entry in answer]
    lines = run([program], input="".join(d + "\n" for d in data + written)).split("\n")[:-1]
    assert len(lines) == 2 * n_data
    for datum, entry, line in zip(data + written, answer + answer, lines):
        result, _, rest = line.partition("\t")
        text, _, encoded = rest.rpartition("\t")
        assert result == "good", (result, datum)
        shown = codegen_cases.Shown(schema)
        assert shown.same(schema, json.loads(text), entry["value"]), \
            f"{text}\n  fastavro: {entry['value']}"
        assert encoded == datum, (datum, encoded)
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


def test_every_type_compiles():
    place = generate(everything())
    check_warnings(place)
    # What is only seen when it is optimised: text cut off, values not set.
    run(["gcc", "-std=c17", *WARNINGS, "-O2", "-c", "-I", place, place / "made.c", "-o",
         place / "made.o"])


def test_hard_names_compile():
    """Words of C and C++, macros, names of the code itself, the compiler's names, long ones;
    comments that would end, go on, or turn the text."""
    for prefix in ["", "x_"]:
        check_warnings(generate(codegen_cases.hard_names(), prefix))


def test_many_symbols_and_fields():
    schema = avro_cases.record(
        "many", avro_cases.named("e", {"type": "enum", "name": "E",
                                       "symbols": [f"S{i}" for i in range(5000)]}),
        *[avro_cases.named(f"f{i}", "int") for i in range(1000)])
    place = generate(schema)
    run(["gcc", "-std=c17", *WARNINGS, "-fsyntax-only", "-I", place, place / "made.c"])


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
        logical("local", "long", "local-timestamp-millis"),
        logical("price", "bytes", "decimal", precision=40, scale=3),
        avro_cases.named("span", {"type": "fixed", "name": "span", "size": 12,
                                  "logicalType": "duration"}))
    program = compile_driver(generate(schema), "x_moments", COMPILERS[0])
    # 20779 days: date -u -d 2026-11-22 +%s divided by 86400.
    numbers = [20779, 36000123, 86399999999, 20779 * 86400000 + 1, -1, -86400000]
    line = b"".join(map(avro_cases.zigzag, numbers))
    line += b"\x06\xfe\xdc\xba" + bytes([1, 0, 0, 0, 2, 0, 0, 0, 0xbc, 0xb, 0, 0])
    text = run([program], input=line.hex() + "\n").split("\t")[1]
    # 0xfedcba is -74566; 0x0bbc are 3004 ms.
    assert list(json.loads(text).values()) == [
        "2026-11-22", "10:00:00.123", "23:59:59.999999", "2026-11-22T00:00:00.001Z",
        "1969-12-31T23:59:59.999999Z", "1969-12-31T00:00:00.000", "-74.566",
        "P1M2DT3.004S"], text


def test_numbers_have_a_point_in_any_locale():
    place = generate(avro_cases.record("top", avro_cases.named("d", "double"),
                                       avro_cases.named("f", "float")))
    run(["localedef", "-i", "de_DE", "-f", "UTF-8", place / "de_DE.UTF-8"])
    env = {**os.environ, "LOCPATH": str(place), "LC_ALL": "de_DE.UTF-8"}
    program = compile_driver(place, "x_top", COMPILERS[0])
    assert run([program, "point"], env=env) == "1,5\n"
    datum = struct.pack("<df", 0.1, -1e-7).hex()
    text = run([program], input=datum + "\n", env=env).split("\t")[1]
    assert text == '{"d": 0.1, "f": -1e-07}', text


def test_schemas_made_by_chance():
    for seed in range(12 if lib.is_long() else 2):
        schema = codegen_cases.schema(random.Random(seed))
        program = compile_driver(generate(schema), "x_top", COMPILERS[seed % 2])
        data = check_round_trip(schema, program, 60, seed)
        run([program, "fuzz"], input="".join(d + "\n" for d in data[:10]))


def test_broken_data_is_refused():
    program = compile_driver(generate(STOP_TIME), "x_stop_time", COMPILERS[0])
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


def test_few_bytes_cannot_ask_for_much_memory():
    schema = json.loads((SCHEMAS / "nothing.avsc").read_text())
    program = compile_driver(generate(schema), "x_nothing", COMPILERS[0])
    many, some = avro_cases.zigzag(1 << 40).hex(), avro_cases.zigzag(30000).hex()
    rows = ("02" + some + "00") * 3 + "00"
    data = [some + "00" * 6,        # nulls
            many + "00" * 6,        # too many of them
            "00" + rows + "00" * 4,  # rows of nulls, in all too many
            "00" * 4 + many + "00" * 2,  # structs of no bytes
            "00" * 5 + rows]
    lines = run([program], input="\n".join(data) + "\n").split("\n")
    assert lines[0].startswith("good\t"), lines[0][:100]
    assert lines[1:5] == ["too large"] * 4, [line[:100] for line in lines]


def test_memory_may_end_at_any_point():
    texts = {"type": "array", "items": {"type": "array", "items": "string"}}
    schema = avro_cases.record(
        "top", avro_cases.named("a", texts, default=[["x"], ["y", "z"], []]),
        avro_cases.named("next", ["null", "top"]),
        avro_cases.named("any", ["int", "top", {"type": "map", "values": ["null", "top"]}]))
    place = generate(schema)
    program = link(place, COMPILERS[0], [HERE / "codegen_memory.c"])
    leaf = "00" "00" "0002"                           # no texts, no next, the int 1
    datum = "04" "020278" "00" "02027900" "00" "02" + leaf + "04" "04" "026b" "02" + leaf + \
        "026c" "00" "00"
    counts = [int(n) for n in run([program], input=datum).split()]
    # Arrays that are not empty: 3 in the default; 3 in the datum, a map, two records.
    assert counts[:2] == [3, 6] and min(counts[2:]) >= 1, counts


def test_values_made_by_hand():
    tree = json.loads((SCHEMAS / "tree.avsc").read_text())
    trip = avro_cases.record("trip", avro_cases.named("headsign", ["null", "string"]))
    for compiler in [COMPILERS[0], COMPILERS[3]]:
        place = generate(tree, "a_", "a")
        generate(tree, "b_", "b", place)
        generate(STOP_TIME, "gtfs_", "stop_times", place)
        generate(trip, "gtfs_", "trips", place)
        run([link(place, compiler, [*place.glob("*.c"), HERE / "codegen_use.c"])])


def test_the_page_shows_what_happens():
    section = (lib.ROOT / "docs/avro.md").read_text().partition("\n## C types\n")[2]
    code, printed = re.findall(r"^```c?\n(.*?)^```", section, re.S | re.M)
    place = lib.tmp_dir()
    lib.run("codegen", lib.ROOT / "examples/producer/stop_times.avsc", "--prefix", "gtfs_", "--out",
            place)
    (place / "main.c").write_text(code)
    program = link(place, COMPILERS[0], [place / "main.c", place / "stop_times.c"])
    assert run([program]) == printed, run([program])


def test_files_of_others_are_left():
    place = generate(STOP_TIME)
    before = (place / "made.h").read_text()
    assert before.startswith("/* Made by tramline codegen from"), before[:80]
    generate(STOP_TIME, "y_", "made", place)  # its own are replaced
    assert (place / "made.h").read_text() != before
    (place / "made.c").write_text("int mine;\n")
    done = lib.run("codegen", place / "made.avsc", "--out", place, code=2)
    assert done.err == (f"tramline codegen: {place}/made.c was not made by tramline codegen and is "
                        "left as it is; move it away, or give another --out\n"), done.err
    assert (place / "made.c").read_text() == "int mine;\n"


def test_wrong_calls_are_explained():
    place = lib.tmp_dir()

    def says(text, content, *more, name="s.avsc", code=3):
        (place / name).write_bytes(content)
        done = lib.run("codegen", place / name, *more, code=code)
        assert done.err.partition("\n")[0] == f"tramline codegen: {text}", done.err

    path = f"{place}/s.avsc"
    good = b'{"type":"record","name":"r","fields":[]}'
    says("codegen: no name in C begins with '9'; a prefix has letters, digits and _, and no digit "
         "first", good, "--prefix", "9", code=2)
    says(f"cannot write {place}/none/s.h: No such file or directory", good, "--out",
         f"{place}/none", code=1)
    says(f"{place}/a\"b.avsc: its name is to name a header, and cannot; rename it to letters, "
         "digits, _ and -", good, name='a"b.avsc', code=2)
    says(f"{path}: a zero byte is in it: this is not a schema's text", good + b"\0")
    says(f"{path}: codegen: the schema is of union; it must be a record's", b'["null","int"]')
    says(f"{path}: codegen: enum 'E' has no symbols: there is no datum of it",
         b'{"type":"record","name":"r","fields":[{"name":"e","type":{"type":"enum","name":"E",'
         b'"symbols":[]}}]}')
    says(f"{path}: codegen: fixed 'F' would be a struct of more than 1048576 bytes; make parts of "
         "it arrays or bytes", b'{"type":"record","name":"r","fields":[{"name":"f","type":'
         b'{"type":"fixed","name":"F","size":1048577}}]}', code=1)
    done = lib.run("codegen", place / "none.avsc", code=2)
    assert f"cannot open {place}/none.avsc: No such file or directory" in done.err, done.err
