# SPDX-License-Identifier: Apache-2.0
"""Pairs of writer's and reader's schemas, made by chance, one rule of schema resolution (Avro
1.11, "Schema Resolution") after another, and datums for them.

A rule makes one field: how the writer has it, how the reader, and which columns are wanted of it.
A pair is a record of some rules' fields. Datums are encoded here, by the specification.
"""
import json
import random
import struct
import uuid

RULES = {}


class Field:
    """writer, reader: field objects, None where it is missing; columns: [path, type]."""

    def __init__(self, writer, reader, *columns):
        self.writer, self.reader, self.columns = writer, reader, columns


def rule(make):
    RULES[make.__name__] = make
    return make


def named(name, kind, **more):
    return {"name": name, "type": kind, **more}


def record(name, *fields, **more):
    return {"type": "record", "name": name, "fields": list(fields), **more}


# Rules of promotion


def promotion(writer, reader, column):
    def make(_rng, n):
        return Field(named(n, writer), named(n, reader), [n, column])
    make.__name__ = f"{writer}_to_{reader}"
    return rule(make)


for _writer, _reader, _column in [
        ("int", "long", "BIGINT"), ("int", "float", "REAL"), ("int", "double", "REAL"),
        ("long", "float", "REAL"), ("long", "double", "REAL"), ("float", "double", "REAL"),
        ("string", "bytes", "BYTES"), ("bytes", "string", "TEXT")]:
    promotion(_writer, _reader, _column)

SAME = [("null", None), ("boolean", "BOOLEAN"), ("int", "INT"), ("long", "BIGINT"),
        ("float", "REAL"), ("double", "REAL"), ("bytes", "BYTES"), ("string", "TEXT")]


@rule
def same_primitive(rng, n):
    kind, column = rng.choice(SAME)
    return Field(named(n, kind), named(n, kind), *([[n, column]] if column else []))


# Fields


DEFAULTS = [
    ("int", -7, "INT"), ("long", 1 << 40, "BIGINT"), ("double", 0.1, "REAL"),
    ("float", 1.5, "REAL"), ("boolean", True, "BOOLEAN"), ("string", "d\u00e9f", "TEXT"),
    ("bytes", "a\u00ff", "BYTES"), (["null", "string"], None, "TEXT"),
    (["int", "null"], 3, "INT"),
]


@rule
def field_added(rng, n):
    kind, default, column = rng.choice(DEFAULTS)
    return Field(None, named(n, kind, default=default), [n, column])


@rule
def enum_added(_rng, n):
    kind = {"type": "enum", "name": f"E{n}", "symbols": ["A", "B"]}
    return Field(None, named(n, kind, default="B"), [n, "TEXT"])


@rule
def fixed_added(_rng, n):
    kind = {"type": "fixed", "name": f"F{n}", "size": 2}
    return Field(None, named(n, kind, default="\u0001\u00fe"), [n, "BYTES"])


@rule
def record_added(_rng, n):
    kind = record(f"R{n}", named("a", "int"), named("b", "string", default="own"))
    return Field(None, named(n, kind, default={"a": 5}), [f"{n}.a", "INT"], [f"{n}.b", "TEXT"])


@rule
def array_added(_rng, n):
    kind = {"type": "array", "items": "int"}
    return Field(None, named(n, kind, default=[1, 2]))


@rule
def map_added(_rng, n):
    kind = {"type": "map", "values": "string"}
    return Field(None, named(n, kind, default={"k": "v"}))


@rule
def field_removed(rng, n):
    kind = rng.choice([
        "null", "boolean", "int", "long", "float", "double", "bytes", "string",
        ["null", "string", "int"], {"type": "array", "items": ["null", "double"]},
        {"type": "map", "values": {"type": "array", "items": "long"}},
        {"type": "fixed", "name": f"F{n}", "size": 3},
        {"type": "enum", "name": f"E{n}", "symbols": ["X", "Y"]},
        record(f"R{n}", named("a", "int"), named("b", {"type": "array", "items": "string"})),
    ])
    return Field(named(n, kind), None)


@rule
def field_alias(rng, n):
    kind, column = rng.choice(SAME[1:])
    return Field(named(f"old_{n}", kind), named(n, kind, aliases=["no", f"old_{n}"]), [n, column])


# Named types


SYMBOLS = ["A", "B", "C", "D"]


def enum_pair(rng, n, shared, default=None):
    mine = rng.sample(SYMBOLS, 3)
    theirs = mine if shared else [mine[0], "Z"]
    writer = {"type": "enum", "name": f"E{n}", "symbols": mine}
    reader = {"type": "enum", "name": f"E{n}", "symbols": rng.sample(theirs, len(theirs))}
    if default:
        reader["default"] = default
    return Field(named(n, writer), named(n, reader), [n, "TEXT"])


@rule
def enum_reordered(rng, n):
    return enum_pair(rng, n, True)


@rule
def enum_with_default(rng, n):
    return enum_pair(rng, n, False, "Z")


@rule
def enum_without_default(rng, n):
    return enum_pair(rng, n, False)


@rule
def enum_not_wanted(rng, n):
    field = enum_pair(rng, n, False)
    return Field(field.writer, field.reader)


@rule
def fixed_same(_rng, n):
    kind = {"type": "fixed", "name": f"F{n}", "size": 4}
    return Field(named(n, kind), named(n, kind), [n, "BYTES"])


@rule
def fixed_alias(_rng, n):
    writer = {"type": "fixed", "name": f"F{n}", "size": 4}
    return Field(named(n, writer), named(n, {**writer, "name": f"G{n}", "aliases": [f"F{n}"]}),
                 [n, "BYTES"])


@rule
def enum_alias(rng, n):
    field = enum_pair(rng, n, True)
    field.reader["type"].update(name=f"G{n}", aliases=[f"E{n}"])
    return field


@rule
def record_alias(_rng, n):
    fields = [named("a", "int")]
    return Field(named(n, record(f"R{n}", *fields)),
                 named(n, record(f"G{n}", *fields, aliases=[f"R{n}"])), [f"{n}.a", "INT"])


@rule
def other_namespace(_rng, n):
    kind = {"type": "fixed", "name": f"F{n}", "size": 2}
    return Field(named(n, {**kind, "namespace": "one"}), named(n, {**kind, "namespace": "two"}),
                 [n, "BYTES"])


# Logical types


def logical(base, logical_type, **more):
    return {"type": base, "logicalType": logical_type, **more}


LOGICAL = [logical("int", "date"), logical("int", "time-millis"), logical("long", "time-micros"),
           logical("long", "timestamp-millis"), logical("long", "timestamp-micros"),
           logical("long", "local-timestamp-millis"), logical("long", "local-timestamp-micros"),
           logical("string", "uuid"), logical("bytes", "decimal", precision=9, scale=2),
           logical("bytes", "decimal", precision=20)]


@rule
def logical_same(rng, n):
    kind = rng.choice(LOGICAL)
    return Field(named(n, kind), named(n, kind), [n, "TEXT"])


@rule
def logical_fixed_decimal(rng, n):
    kind = logical("fixed", "decimal", name=f"D{n}", size=4, precision=9, scale=rng.choice([0, 3, 9]))
    return Field(named(n, kind), named(n, kind), [n, "TEXT"])


@rule
def logical_duration(_rng, n):
    kind = logical("fixed", "duration", name=f"D{n}", size=12)
    return Field(named(n, kind), named(n, kind), [n, "TEXT"])


@rule
def logical_only_of_writer(rng, n):
    """The reader's type says how the number is shown."""
    kind = rng.choice(LOGICAL[:7])
    return Field(named(n, kind), named(n, kind["type"]), [n, {"int": "INT", "long": "BIGINT"}[kind["type"]]])


@rule
def logical_only_of_reader(rng, n):
    kind = rng.choice(LOGICAL[:7])
    return Field(named(n, logical(kind["type"], "none-that-is-known", as_if=kind)), named(n, kind), [n, "TEXT"])


@rule
def logical_promoted(rng, n):
    """An int without a logical type that is known, read as a long that has one; and the other way round."""
    plain = logical("int", "none-that-is-known", as_if=LOGICAL[1])
    writer, reader, column = rng.choice([(plain, LOGICAL[2], "TEXT"), (plain, LOGICAL[3], "TEXT"),
                                         (LOGICAL[0], "long", "BIGINT"), (LOGICAL[1], "double", "REAL")])
    return Field(named(n, writer), named(n, reader), [n, column])


@rule
def logical_in_unions(rng, n):
    kind = rng.choice(LOGICAL)
    return Field(named(n, rng.sample(["null", kind], 2)), named(n, rng.sample(["null", kind], 2)), [n, "TEXT"])


@rule
def logical_not_known(rng, n):
    kind, column = rng.choice([("int", "INT"), ("string", "TEXT"), ("bytes", "BYTES")])
    return Field(named(n, logical(kind, "gtfs-time")), named(n, logical(kind, "other")), [n, column])


SHOWN_AS_TEXT = {kind["logicalType"] for kind in LOGICAL} | {"duration"}


# Records within


@rule
def record_within(rng, n):
    fields = [named("a", "int"), named("b", ["null", "string"]), named("c", "double")]
    theirs = [named("a", "long"), named("b", ["string", "null"]), named("d", "int", default=9)]
    rng.shuffle(theirs)
    return Field(named(n, record(f"R{n}", *fields)), named(n, record(f"R{n}", *theirs)),
                 [f"{n}.a", "BIGINT"], [f"{n}.b", "TEXT"], [f"{n}.d", "INT"])


@rule
def fields_reordered(rng, n):
    fields = [named(name, kind) for name, kind in [("a", "int"), ("b", "string"), ("c", "boolean"), ("d", "double")]]
    theirs = fields[1:] + fields[:1] if rng.random() < 0.5 else fields[::-1]
    return Field(named(n, record(f"R{n}", *fields)), named(n, record(f"R{n}", *theirs)), [f"{n}.a", "INT"],
                 [f"{n}.b", "TEXT"], [f"{n}.c", "BOOLEAN"], [f"{n}.d", "REAL"])


@rule
def record_or_null(_rng, n):
    fields = [named("a", "int"), named("b", "string")]
    return Field(named(n, ["null", record(f"R{n}", *fields)]),
                 named(n, [record(f"R{n}", *reversed(fields)), "null"]),
                 [f"{n}.a", "INT"], [f"{n}.b", "TEXT"])


@rule
def recursive_record(_rng, n):
    kind = record(f"R{n}", named("v", "int"), named("next", ["null", f"R{n}"]))
    wider = record(f"R{n}", named("next", ["null", f"R{n}"]), named("v", "long"))
    return Field(named(n, kind), named(n, wider), [f"{n}.v", "BIGINT"],
                 [f"{n}.next.v", "BIGINT"], [f"{n}.next.next.v", "BIGINT"])


@rule
def recursive_record_with_enum(_rng, n):
    """Far down, beyond the columns, a symbol that the reader does not have."""
    def tree(symbols):
        kind = {"type": "enum", "name": f"E{n}", "symbols": symbols}
        return record(f"R{n}", named("e", kind),
                      named("children", {"type": "array", "items": f"R{n}"}))
    return Field(named(n, tree(["A", "B", "C"])), named(n, tree(["C", "A"])), [f"{n}.e", "TEXT"])


# Arrays and maps, which no column reaches


@rule
def array_items(rng, n):
    writer, reader = rng.choice([("int", "double"), ("string", "bytes"), ("long", "long"),
                                 (["null", "int"], ["null", "long"])])
    return Field(named(n, {"type": "array", "items": writer}),
                 named(n, {"type": "array", "items": reader}))


@rule
def array_of_enums(rng, n):
    field = enum_pair(rng, n, False)
    return Field(named(n, {"type": "array", "items": field.writer["type"]}),
                 named(n, {"type": "array", "items": field.reader["type"]}))


@rule
def map_values(rng, n):
    writer, reader = rng.choice([("int", "long"), ("bytes", "string"), ("float", "double")])
    return Field(named(n, {"type": "map", "values": writer}),
                 named(n, {"type": "map", "values": reader}))


@rule
def map_of_unions(_rng, n):
    return Field(named(n, {"type": "map", "values": ["null", "int", "string"]}),
                 named(n, {"type": "map", "values": ["int", "null"]}))


# Unions


@rule
def union_both(rng, n):
    kind, column = rng.choice(SAME[1:])
    return Field(named(n, rng.sample(["null", kind], 2)), named(n, rng.sample(["null", kind], 2)),
                 [n, column])


@rule
def union_both_promoted(rng, n):
    return Field(named(n, rng.sample(["null", "int"], 2)),
                 named(n, rng.sample(["null", "double"], 2)), [n, "REAL"])


@rule
def union_of_reader(rng, n):
    writer, reader, column = rng.choice([
        ("int", ["null", "long"], "BIGINT"), ("string", ["null", "string"], "TEXT"),
        ("int", ["string", "double"], None), ("bytes", ["null", "bytes"], "BYTES")])
    return Field(named(n, writer), named(n, reader), *([[n, column]] if column else []))


@rule
def union_of_writer(rng, n):
    writer, reader, column = rng.choice([
        (["null", "long"], "long", "BIGINT"), (["int", "string"], "string", "TEXT"),
        (["int", "null", "long"], "double", "REAL"), (["boolean", "bytes"], "bytes", "BYTES")])
    return Field(named(n, writer), named(n, reader), [n, column])


@rule
def union_of_many(rng, n):
    kinds = ["null", "int", "string", "boolean", "double",
             {"type": "fixed", "name": f"F{n}", "size": 2},
             {"type": "array", "items": "int"}, record(f"R{n}", named("a", "int"))]
    return Field(named(n, rng.sample(kinds, 4)), named(n, rng.sample(kinds, 4)))


@rule
def union_of_records(rng, n):
    one = record(f"A{n}", named("x", "int"))
    two = record(f"B{n}", named("y", "string"))
    other = record(f"B{n}", named("y", "int"))  # the same name, but never read as it
    theirs = rng.choice([[two, one], [one, "null"], [other, one]])
    return Field(named(n, [one, two]), named(n, theirs), [f"{n}.x", "INT"])


@rule
def union_other_namespace(rng, n):
    kind = record(f"R{n}", named("a", "int"))
    return Field(named(n, ["null", {**kind, "namespace": "one"}]),
                 named(n, rng.sample(["null", {**kind, "namespace": "two"}], 2)),
                 [f"{n}.a", "INT"])


@rule
def single_union(_rng, n):
    return Field(named(n, ["string"]), named(n, "string"), [n, "TEXT"])


# Pairs that no datum can resolve


NEVER = {}


def never(make):
    NEVER[make.__name__] = make
    return make


@never
def no_default(_rng, n):
    return Field(None, named(n, "int"))


@never
def other_primitive(rng, n):
    writer, reader = rng.choice([("string", "int"), ("long", "int"), ("double", "float"),
                                 ("boolean", "int"), ("int", "string"), ("bytes", "long"),
                                 ("double", "long"), ("float", "int"), ("null", "string")])
    return Field(named(n, writer), named(n, reader))


@never
def other_size(_rng, n):
    return Field(named(n, {"type": "fixed", "name": f"F{n}", "size": 2}),
                 named(n, {"type": "fixed", "name": f"F{n}", "size": 3}))


@never
def other_name(rng, n):
    kind = rng.choice([{"type": "fixed", "size": 2}, {"type": "enum", "symbols": ["A"]}])
    return Field(named(n, {**kind, "name": f"A{n}"}), named(n, {**kind, "name": f"B{n}"}))


@never
def other_record_name(_rng, n):
    return Field(named(n, record(f"A{n}", named("a", "int"))),
                 named(n, record(f"B{n}", named("a", "int"))))


@never
def other_scale(_rng, n):
    kind = {"type": "bytes", "logicalType": "decimal", "precision": 9}
    return Field(named(n, {**kind, "scale": 2}), named(n, {**kind, "scale": 3}))


@never
def other_precision(_rng, n):
    kind = {"type": "bytes", "logicalType": "decimal", "scale": 2}
    return Field(named(n, {**kind, "precision": 9}), named(n, {**kind, "precision": 12}))


@never
def other_logical(rng, n):
    """Days are not milliseconds, nor these microseconds."""
    writer, reader = rng.choice([(LOGICAL[0], LOGICAL[1]), (LOGICAL[0], LOGICAL[3]), (LOGICAL[3], LOGICAL[4]),
                                 (LOGICAL[3], LOGICAL[5])])
    return Field(named(n, writer), named(n, reader))


@never
def union_without_match(_rng, n):
    return Field(named(n, ["int", "string"]), named(n, ["boolean"]))


@never
def value_for_union_without_match(_rng, n):
    return Field(named(n, "string"), named(n, ["null", "int"]))


@never
def within_a_record(_rng, n):
    return Field(named(n, record(f"R{n}", named("a", "int"))),
                 named(n, record(f"R{n}", named("a", "string"))))


@never
def array_for_map(_rng, n):
    return Field(named(n, {"type": "array", "items": "int"}),
                 named(n, {"type": "map", "values": "int"}))


@never
def record_for_int(_rng, n):
    return Field(named(n, record(f"R{n}", named("a", "int"))), named(n, "int"))


# Values and their bytes


PRIMITIVES = {kind for kind, _ in SAME}

TEXTS = ["", "a", "stop 17", "F\u00eate", "\u6771\u4eac", "x" * 100]
INTS = [0, 1, -1, 63, 64, -64, -65, 8191, 8192, (1 << 31) - 1, -(1 << 31)]
LONGS = INTS + [1 << 31, 1 << 53, (1 << 53) + 1, (1 << 63) - 1, -(1 << 63)]
FLOATS = [0.0, -0.0, 1.5, -2.25, 3.4028234663852886e38, 1.401298464324817e-45]
DOUBLES = FLOATS + [0.1, 1e300, -5e-324]


DAY_MS, YEAR_1, YEAR_9999 = 86_400_000, -719162, 2932896  # days since 1970
LOGICAL_RANGES = {"date": (YEAR_1, YEAR_9999), "time-millis": (0, DAY_MS - 1), "time-micros": (0, DAY_MS * 1000 - 1)}
for _where in ("", "local-"):
    for _unit, _factor in (("millis", 1), ("micros", 1000)):
        LOGICAL_RANGES[f"{_where}timestamp-{_unit}"] = (YEAR_1 * DAY_MS * _factor,
                                                        (YEAR_9999 + 1) * DAY_MS * _factor - 1)


def zigzag(value):
    bits = (value << 1) ^ (value >> 63)
    bits &= (1 << 64) - 1
    out = bytearray()
    while bits > 0x7F:
        out.append(bits & 0x7F | 0x80)
        bits >>= 7
    out.append(bits)
    return bytes(out)


class Encoder:
    """Makes a random datum of a schema, as bytes."""

    def __init__(self, rng):
        self.rng, self.names, self.depth = rng, {}, 0

    def datum(self, kind):
        self.depth += 1
        try:
            return self._datum(kind)
        finally:
            self.depth -= 1

    def _datum(self, kind):
        if isinstance(kind, list):
            return self.union(kind)
        if isinstance(kind, str):
            if kind in self.names:
                return self.datum(self.names[kind])
            return getattr(self, kind)()
        if "name" in kind:
            self.names[kind["name"]] = kind
        if "logicalType" in kind:
            return self.logical(kind.get("as_if", kind))
        if kind["type"] in PRIMITIVES:
            return self.datum(kind["type"])
        return getattr(self, kind["type"])(kind)

    def union(self, kinds):
        index = self.rng.randrange(len(kinds))
        if self.depth > 12 and "null" in kinds:
            index = kinds.index("null")
        return zigzag(index) + self.datum(kinds[index])

    def logical(self, kind):
        """Only what has a text: years 1 to 9999, times of a day, as many digits as the precision."""
        name, rng = kind["logicalType"], self.rng
        if name in LOGICAL_RANGES:
            low, high = LOGICAL_RANGES[name]
            return zigzag(rng.choice([low, high, 0 if low <= 0 else low, rng.randint(low, high)]))
        if name == "uuid":
            return zigzag(36) + str(uuid.UUID(int=rng.getrandbits(128))).encode()
        if name == "duration":
            return struct.pack("<III", *(rng.choice([0, 1, 12, 86400000, (1 << 32) - 1]) for _ in range(3)))
        if name != "decimal":
            return self.datum(kind["type"])
        most = 10 ** kind["precision"] - 1
        number = rng.choice([0, 1, -1, 127, -128, most, -most, rng.randint(-most, most)])
        if kind["type"] == "fixed":
            return number.to_bytes(kind["size"], "big", signed=True)
        data = number.to_bytes((number + (number < 0)).bit_length() // 8 + 1, "big", signed=True)
        return zigzag(len(data)) + data

    def null(self):
        return b""

    def boolean(self):
        return self.rng.choice([b"\0", b"\1"])

    def int(self):
        return zigzag(self.rng.choice(INTS))

    def long(self):
        return zigzag(self.rng.choice(LONGS))

    def float(self):
        return struct.pack("<f", self.rng.choice(FLOATS))

    def double(self):
        return struct.pack("<d", self.rng.choice(DOUBLES))

    def bytes(self):
        return self.string()  # so that it can be read as a string

    def string(self):
        text = self.rng.choice(TEXTS).encode()
        return zigzag(len(text)) + text

    def record(self, kind):
        return b"".join(self.datum(field["type"]) for field in kind["fields"])

    def enum(self, kind):
        return zigzag(self.rng.randrange(len(kind["symbols"])))

    def fixed(self, kind):
        return self.rng.randbytes(kind["size"])

    def items(self, one):
        """Blocks of one to three items; some tell their size."""
        out = b""
        for _ in range(self.rng.randint(0, 2) if self.depth < 6 else 0):
            items = [one() for _ in range(self.rng.randint(1, 3))]
            block = b"".join(items)
            if self.rng.random() < 0.5:
                out += zigzag(-len(items)) + zigzag(len(block)) + block
            else:
                out += zigzag(len(items)) + block
        return out + b"\0"

    def array(self, kind):
        return self.items(lambda: self.datum(kind["items"]))

    def map(self, kind):
        return self.items(lambda: self.string() + self.datum(kind["values"]))


class Case:
    """A pair of schemas, the rules it is of, columns, and datums."""

    def __init__(self, rng, rules, n_data):
        fields = [make(rng, f"f{i}") for i, (_, make) in enumerate(rules)]
        self.rules = [name for name, _ in rules]
        writer = [f.writer for f in fields if f.writer]
        reader = [f.reader for f in fields if f.reader]
        rng.shuffle(reader)  # fields are matched by name, in any order
        self.writer, self.reader = record("top", *writer), record("top", *reader)
        self.columns = [[path, kind, True] for f in fields for path, kind in f.columns]
        self.data = [Encoder(rng).datum(self.writer).hex() for _ in range(n_data)]

    def job(self):
        return {"writer": self.writer, "reader": self.reader, "columns": self.columns,
                "data": self.data}

    def __str__(self):
        return json.dumps({"rules": self.rules, **self.job()})


def cases(seed, n_pairs, n_data):
    """Every rule in turn, each with up to three others by chance."""
    rng = random.Random(seed)
    names = sorted(RULES)
    for i in range(n_pairs):
        first = names[i % len(names)]
        chosen = [first] + rng.sample(names, rng.randint(0, 3))
        yield Case(rng, [(name, RULES[name]) for name in chosen], n_data)


def never_cases(seed, n_pairs, n_data):
    rng = random.Random(seed)
    names = sorted(NEVER)
    for i in range(n_pairs):
        name = names[i % len(names)]
        yield Case(rng, [(name, NEVER[name])], n_data)
