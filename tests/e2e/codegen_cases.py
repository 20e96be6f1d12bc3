# SPDX-License-Identifier: Apache-2.0
"""Schemas for generated code: made by chance, or of names that C and C++ do not like; datums of
them; and what their values are to look like as text."""
import datetime
import json
import struct

import avro_cases
from avro_cases import named, record

EPOCH = datetime.datetime(1970, 1, 1)
DAY_MS = 86400 * 1000
# Year 1 to 9999, that Python can show them.
RANGES = {"date": (-719000, 2932000), "time-millis": (0, DAY_MS - 1),
          "time-micros": (0, DAY_MS * 1000 - 1),
          "timestamp-millis": (-719000 * DAY_MS, 2932000 * DAY_MS),
          "timestamp-micros": (-719000 * DAY_MS * 1000, 2932000 * DAY_MS * 1000)}
RANGES["local-timestamp-millis"] = RANGES["timestamp-millis"]
RANGES["local-timestamp-micros"] = RANGES["timestamp-micros"]


def named_types(kind):
    """{name: definition} of all that a schema defines."""
    found = {}
    if isinstance(kind, dict):
        if "name" in kind and isinstance(kind.get("type"), str):
            found[kind["name"]] = kind
        kind = list(kind.values())
    if isinstance(kind, list):
        for part in kind:
            found.update(named_types(part))
    return found


class Encoder(avro_cases.Encoder):
    """Datums as the generated code writes them: arrays and maps in one block without its size."""

    def __init__(self, rng, schema):
        super().__init__(rng)
        self.names = named_types(schema)

    def _datum(self, kind):
        if isinstance(kind, dict) and kind.get("logicalType") in RANGES:
            return avro_cases.zigzag(self.rng.randint(*RANGES[kind["logicalType"]]))
        return super()._datum(kind)

    def items(self, one):
        items = [one() for _ in range(self.rng.randint(0, 3) if self.depth < 6 else 0)]
        count = avro_cases.zigzag(len(items)) if items else b""
        return count + b"".join(items) + b"\0"

    def bytes(self):
        data = self.rng.randbytes(self.rng.choice([0, 1, 2, 9, 16]))
        return avro_cases.zigzag(len(data)) + data


# Schemas by chance


class Maker:
    def __init__(self, rng):
        self.rng, self.n, self.records = rng, 0, ["top"]

    def name(self, letter):
        self.n += 1
        return f"{letter}{self.n}"

    def plain(self):
        return self.rng.choice(["boolean", "int", "long", "float", "double", "string", "bytes"])

    def logical(self):
        word = self.rng.choice([*RANGES, "decimal", "fixed decimal", "duration", "uuid"])
        if word == "uuid":
            return {"type": "string", "logicalType": "uuid"}
        scale = self.rng.choice([0, 1, 5])
        if word == "decimal":
            return {"type": "bytes", "logicalType": word, "precision": 30, "scale": scale}
        size = 12 if word == "duration" else self.rng.choice([1, 4, 9])
        if word in ("duration", "fixed decimal"):
            more = {"logicalType": "duration"} if word == "duration" else {
                "logicalType": "decimal", "precision": 2, "scale": min(scale, 1)}
            return {"type": "fixed", "name": self.name("L"), "size": size, **more}
        base = "int" if word in ("date", "time-millis") else "long"
        return {"type": base, "logicalType": word}

    def leaf(self):
        return self.rng.choice([
            self.plain, self.plain, self.logical,
            lambda: {"type": "enum", "name": self.name("E"), "symbols": ["A", "text", "int"]},
            lambda: {"type": "fixed", "name": self.name("F"), "size": self.rng.randint(0, 9)}])()

    def union(self, depth):
        kinds = [self.rng.choice(["int", "double", self.logical]), "string", "null"]
        kinds = [kind() if callable(kind) else kind for kind in kinds]
        if any(isinstance(kind, dict) and kind["type"] in ("string", "bytes") for kind in kinds):
            kinds = ["null", "boolean"]
        kinds += [self.rng.choice([
            {"type": "array", "items": self.kind(depth + 1)}, self.rng.choice(self.records)])]
        self.rng.shuffle(kinds)
        return kinds

    def kind(self, depth):
        if depth > 3 or self.rng.random() < 0.4:
            return self.leaf()
        return self.rng.choice([
            lambda: {"type": "array", "items": self.kind(depth + 1)},
            lambda: {"type": "map", "values": self.kind(depth + 1)},
            lambda: ["null", self.leaf()], lambda: [self.leaf(), "null"],
            lambda: ["null", self.rng.choice(self.records)],
            lambda: {"type": "array", "items": self.rng.choice(self.records)},
            lambda: self.union(depth), lambda: self.record(self.name("R"), depth + 1)])()

    def record(self, name, depth):
        fields = [named(self.name("f"), self.kind(depth)) for _ in range(self.rng.randint(0, 4))]
        # Only what is whole, or ends in a union or array, may be referred to.
        self.records.append(name)
        return record(name, *fields)


def schema(rng):
    maker = Maker(rng)
    return record("top", *[named(maker.name("f"), maker.kind(0)) for _ in range(14)])


# What values look like


def count_of_day(value, per_second, digits):
    seconds, rest = divmod(value, per_second)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:0{digits}}"


def decimal(value, scale):
    digits = str(abs(value)).rjust(scale + 1, "0")
    point = len(digits) - scale
    text = digits[:point] + ("." + digits[point:] if scale else "")
    return "-" + text if value < 0 else text


def duration(data):
    months, days, millis = struct.unpack("<III", data)
    text = (f"{months}M" if months else "") + (f"{days}D" if days else "")
    if millis or not text:
        text += f"T{millis // 1000}" + (f".{millis % 1000:03}" if millis % 1000 else "") + "S"
    return "P" + text


def logical(kind, value):
    word = kind["logicalType"]
    if word == "uuid":
        return value
    if word == "decimal":
        return decimal(int.from_bytes(bytes.fromhex(value["hex"]), "big", signed=True),
                       kind["scale"])
    if word == "duration":
        return duration(bytes.fromhex(value["hex"]))
    per_second, digits = (1000, 3) if word.endswith("millis") else (1000000, 6)
    if word == "date":
        return (EPOCH + datetime.timedelta(days=value)).date().isoformat()
    if word.startswith("time-"):
        return count_of_day(value, per_second, digits)
    day, rest = divmod(value, 86400 * per_second)
    date = (EPOCH + datetime.timedelta(days=day)).date().isoformat()
    zone = "" if word.startswith("local") else "Z"
    return f"{date}T{count_of_day(rest, per_second, digits)}{zone}"


class Shown:
    """Compares a text's JSON with the value that fastavro read."""

    def __init__(self, schema):
        self.names = named_types(schema)

    def same(self, kind, text, value):
        if isinstance(kind, list):
            return any(self.same(branch, text, value) for branch in kind)
        if isinstance(kind, str):
            return self.same(self.names[kind], text, value) if kind in self.names else \
                self.plain(kind, text, value)
        if "logicalType" in kind:
            return value is not None and self.fits(kind, value) and text == logical(kind, value)
        return self.composed(kind, text, value)

    @staticmethod
    def fits(kind, value):
        if kind["type"] in ("int", "long"):
            return isinstance(value, int) and not isinstance(value, bool)
        return isinstance(value, str) if kind["type"] == "string" else \
            isinstance(value, dict) and set(value) == {"hex"}

    @staticmethod
    def plain(kind, text, value):
        if isinstance(value, dict) and set(value) == {"hex"}:
            return kind == "bytes" and text == bytes.fromhex(value["hex"]).decode("latin-1")
        if isinstance(text, bool) or isinstance(value, bool):
            return text is value
        if kind == "float" and isinstance(text, (int, float)) and isinstance(value, float):
            return text == value or struct.pack("<f", text) == struct.pack("<f", value)
        return text == value

    def composed(self, kind, text, value):
        if kind["type"] == "array":
            return isinstance(value, list) and isinstance(text, list) and \
                len(text) == len(value) and \
                all(self.same(kind["items"], t, v) for t, v in zip(text, value))
        if kind["type"] == "map":
            return isinstance(value, dict) and isinstance(text, dict) and \
                text.keys() == value.keys() and all(self.same(kind["values"], text[k], v) for k, v in value.items())
        if kind["type"] == "record":
            return isinstance(value, dict) and isinstance(text, dict) and \
                list(text) == [f["name"] for f in kind["fields"]] and \
                text.keys() == value.keys() and \
                all(self.same(f["type"], text[f["name"]], value[f["name"]])
                    for f in kind["fields"])
        if kind["type"] == "fixed":
            return self.plain("bytes", text, value)
        return self.plain(kind["type"] if kind["type"] != "enum" else "string", text, value)


# Names


WORDS = """
    class namespace new this delete operator template typename private virtual friend mutable
    int32_t size_t uint8_t bool true false NULL EOF errno stdin stdout linux unix main auto
    register restrict inline _Bool _Atomic _Generic __LINE__ __func__ __attribute__ nullptr
    constexpr co_await requires concept char8_t INT32_MAX INT_MAX DBL_MIN SIZE_WIDTH BUFSIZ
    SEEK_SET EXIT_SUCCESS RAND_MAX offsetof alloca assert x in out rc n p i items as kind value
    has made count capacity branch index ret_used text datum at unused class_ class__2""".split()
# An enum and a symbol: together, the names of macros, functions and variables.
PAIRS = [("INT32", "MAX"), ("SEEK", "SET"), ("EXIT", "SUCCESS"), ("read", "int"),
         ("show", "string"), ("ret", "used"), ("n", "bytes"), ("of", "day"), ("get", "outer"),
         ("put", "outer"), ("text", "outer"), ("free", "outer"), ("symbols", "of"),
         ("AVRO", "OK"), ("avro", "str"), ("P", "ALL"), ("outer", "init"), ("outer", "decode"),
         ("outer", "schema"), ("left", "in"), ("_", "x"), ("class", "class"), ("union", "int")]
TYPES = """class show read_int grow avro_str avro_in avro_result _Foo __bar main stdin size_t
    optional_int array_of_optional_int a_or_b decimal_9_2 date""".split()
DOCS = ["*/ int x; /* ??/ \\", "\u202e txet \u2066 \\\n*/\r\n// \\", "a long text " * 30 + "\\",
        "??/ ?? / /* * / *", " \n\t ", "F\u00eate */*/"]


def hard_names():
    fields = [named(word, "int") for word in WORDS]
    symbols = {}
    for name, symbol in PAIRS:
        symbols.setdefault(name, []).append(symbol)
    fields += [named(f"e_{name}", {"type": "enum", "name": name, "namespace": "en",
                                   "symbols": symbols[name]}) for name in symbols]
    fields += [named(f"r{i}", ["null", record(
        name, named(name, ["null", "int"]), named("l", {"type": "array", "items": ["null", "int"]}),
        namespace="n")]) for i, name in enumerate(TYPES)]
    # Made of others, these have one name and are not one type.
    fields += [named(name, record(name)) for name in ["a", "b", "c", "b_or_c"]]
    fields += [named("u1", ["n.a_or_b", "c"]), named("u2", ["a", "b_or_c"]),
               named("u3", ["a", "b", "c"]),
               named("price", ["null", {"type": "bytes", "logicalType": "decimal", "precision": 9,
                                        "scale": 2}]),
               named("long", ["null", "int"] + [record(f"a_record_of_a_long_name_number_{i}")
                                                for i in range(5)]),
               named("itself", ["null", "outer", "int"]), named("y" * 300, "int", default=7)]
    fields += [named(f"doc{i}", "int", doc=doc) for i, doc in enumerate(DOCS)]
    fields.append(named("was", "int", aliases=["class", "was_", "x"]))
    return json.loads(json.dumps(record("outer", *fields, doc="*/ #error \\",
                                        aliases=["int_", "n.class", "struct"])))
