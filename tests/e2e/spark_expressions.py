# SPDX-License-Identifier: Apache-2.0
"""Expressions made by chance of all that is portable to Spark SQL, and rows for them."""
import random

COLUMNS = "i INT, j INT NOT NULL, n BIGINT, r REAL, t TEXT, u TEXT NOT NULL, z BOOLEAN"
INTS = [0, 1, -1, 2, 7, 59, 60, 3599, 3600, 35999, 36000, 90000, 2147483647, -2147483648]
BIGINTS = [*INTS, 2147483648, -2147483649, 9223372036854775807, -9223372036854775808, 10**15]
REALS = [0.0, 0.5, -0.5, 1.5, 2.5, -2.5, 0.1, 1e10, 1e15, 1e16, -1e300, 5e-324, 4503599627370497.5, 9007199254740993.0]
TEXTS = ["", "a", "b", "ab", "aB", "É", "é", "Montréal", "a,b,,c", ",", "1:02:03", "01:02:03", "25:10:59", "999:59:59", "1:60:00",
         "01:02:03\n", " x ", "  ", "\tx", "日本語", "😀a", "e\u0301", "ß", "İ", "ſ", "100%", "a_b", "it's", "\\", "a\\b", "a\nb", "${x}", "x" * 50,
         "\u00a0x", "١:02:03", "`", '"', "a\u2028b"]
PATTERNS = ["%", "_", "a%", "%a", "%a%", "a_", "\\%", "100\\%", "a\\_b", "%\\", "", "%%", "_%_", "[a]", "a.b", "(?", "^a$", "😀_", "_a", "a\n_", "%\\\\%", "É", "*", "+",
            "%a%b%", "%a%a%a", "a%,%b%", "%_a_%", "%x%x%x%x%x%y", "%é%e", "%%😀%%a", "%b\\"]
SETS = ["a", "ab", " x", "é日", "😀", "", "\\", "]^-"]


def literal(text):
    return "'" + text.replace("'", "''").replace("${", "$${") + "'"


class Expressions:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def of(self, *choices):
        return self.random.choice(choices)

    def rows(self, n):
        def some(values, null=0.1):
            return None if self.random.random() < null else self.random.choice(values)
        return [[some(INTS), some(INTS, 0), some(BIGINTS), some(REALS), some(TEXTS), some(TEXTS, 0), some([True, False])]
                for _ in range(n)]

    def text(self, depth):
        if depth == 0:
            return self.of("t", "u", "t", "u", literal(self.of(*TEXTS)), "CAST(NULL AS TEXT)")
        a, b = (lambda: self.text(depth - 1)), literal(self.of(*TEXTS))
        number = self.of(0, 1, 2, 3, 5, 100)
        return self.of(
            lambda: f"lower({a()})", lambda: f"upper({a()})", lambda: f"substr({a()}, {number + 1})",
            lambda: f"substring({a()} FROM {number + 1} FOR {number})", lambda: f"left({a()}, {self.of(1, -1) * number})",
            lambda: f"right({a()}, {self.of(1, -1) * number})", lambda: f"trim({a()})",
            lambda: f"{self.of('trim', 'btrim', 'ltrim', 'rtrim')}({a()}, {self.of('t', literal(self.of(*SETS)))})",
            lambda: f"replace({a()}, {literal(self.of('a', 'é', ',', 'ab', ''))}, '')", lambda: f"replace({a()}, 'a', {literal(self.of('', 'é', 'abcd'))})",
            lambda: f"lpad({a()}, {self.of(-2, number)}, {self.of('t', b)})", lambda: f"lpad({a()}, {number})",
            lambda: f"split_part({a()}, {self.of('t', b, literal(','))}, {self.of(1, 2, 3, -1, -2)})", lambda: f"gtfs_time({self.whole(depth - 1)})",
            lambda: f"{a()} || {self.of('i', 'n', 'z', 'u', b)}", lambda: f"COALESCE({a()}, {a()})", lambda: f"NULLIF({a()}, {a()})",
            lambda: f"{self.of('GREATEST', 'LEAST')}({a()}, {a()}, {b})", lambda: f"CAST({self.of('i', 'n', 'z', self.whole(depth - 1))} AS TEXT)",
            lambda: f"CASE WHEN {self.truth(depth - 1)} THEN {a()} ELSE {a()} END", lambda: f"CASE {a()} WHEN {a()} THEN {a()} END",
            lambda: "now()")()

    def whole(self, depth):
        """INT."""
        if depth == 0:
            return self.of("i", "j", "i", "j", *map(str, INTS), "CAST(NULL AS INT)")
        a = lambda: self.whole(depth - 1)
        return self.of(
            lambda: f"length({self.text(depth - 1)})", lambda: f"{self.of('strpos', 'instr')}({self.text(depth - 1)}, {self.text(depth - 1)})",
            lambda: f"position({self.text(0)} IN {self.text(depth - 1)})", lambda: f"gtfs_seconds({self.text(depth - 1)})",
            lambda: f"COALESCE({a()}, {a()})", lambda: f"NULLIF({a()}, {a()})", lambda: f"{self.of('GREATEST', 'LEAST')}({a()}, {a()})",
            lambda: f"CASE WHEN {self.truth(depth - 1)} THEN {a()} ELSE {a()} END", lambda: f"CAST({self.truth(depth - 1)} AS INT)")()

    def number(self, depth):
        """Of any type, to be compared."""
        if depth == 0:
            return self.of("i", "j", "n", "r", "r", *map(repr, REALS[:9]), *map(str, BIGINTS[:14]))
        a = lambda: self.number(depth - 1)
        return self.of(
            lambda: f"round({a()})", lambda: f"ceil({a()})", lambda: f"floor({a()})", lambda: f"abs(CAST({a()} AS REAL))", lambda: f"CAST({a()} AS REAL)",
            lambda: self.whole(depth), lambda: f"CAST({self.whole(depth - 1)} AS BIGINT)", lambda: f"COALESCE({a()}, {a()})",
            lambda: f"{self.of('GREATEST', 'LEAST')}({a()}, {a()})")()

    def truth(self, depth):
        if depth == 0:
            return self.of("z", "z", "true", "false", "CAST(NULL AS BOOLEAN)", "t = u", "i < j", "n > i")
        a, op = (lambda: self.truth(depth - 1)), self.of("=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM")
        return self.of(
            lambda: f"({self.text(depth - 1)} {op} {self.text(depth - 1)})", lambda: f"({self.number(depth - 1)} {op} {self.number(depth - 1)})",
            lambda: f"({self.number(depth - 1)} {op} {self.number(depth - 1)})", lambda: f"({a()} {self.of('AND', 'OR')} {a()})", lambda: f"(NOT {a()})",
            lambda: f"({a()} IS {self.of('', 'NOT ')}{self.of('TRUE', 'FALSE', 'UNKNOWN', 'NULL')})",
            lambda: f"({self.text(depth - 1)} {self.of('', 'NOT ')}LIKE {literal(self.of(*PATTERNS))}{self.of('', '', ' ESCAPE ' + literal(self.of('a', '', '%')))})",
            lambda: f"({self.number(depth - 1)} BETWEEN {self.number(depth - 1)} AND {self.number(depth - 1)})",
            lambda: f"({self.text(depth - 1)} {self.of('', 'NOT ')}IN ({self.text(0)}, {self.text(0)}, 'a'))",
            lambda: f"({self.number(depth - 1)} IN ({self.number(0)}, {self.number(0)}))", lambda: f"({self.number(depth - 1)} NOT IN ({self.number(0)}, NULL))",
            lambda: f"({self.text(depth - 1)} {self.of('', 'NOT ')}BETWEEN {self.text(0)} AND {self.text(depth - 1)})",
            lambda: f"CASE {self.number(depth - 1)} WHEN {self.number(0)} THEN {a()} WHEN {self.number(0)} THEN {a()} ELSE {a()} END",
            lambda: f"(NULLIF({self.number(depth - 1)}, {self.number(0)}) IS {self.of('', 'NOT ')}NULL)", lambda: f"starts_with({self.text(depth - 1)}, {self.text(depth - 1)})",
            lambda: f"CAST({self.of('i', 'j')} AS BOOLEAN)")()

    def one(self):
        depth = self.of(1, 1, 2, 3)
        return self.of(self.text, self.text, self.whole, self.truth)(depth)
