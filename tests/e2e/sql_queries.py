# SPDX-License-Identifier: Apache-2.0
"""Queries made by chance that mean the same in Tramline's SQL and in PostgreSQL's.

`Queries(seed).query()` gives a whole query over the tables below, which raises no error and
whose rows are decided; `expression()` an expression over one row of table a, of a type, which
may raise one. Written so that the documented differences (docs/sql.md) do not show: numbers
with a fraction are cast to DOUBLE PRECISION, sums of BIGINT stay small.
"""
import random

COLUMNS = {
    "a": [("id", "INT NOT NULL"), ("k", "INT"), ("v", "INT"), ("s", "TEXT"),
          ("r", "DOUBLE PRECISION"), ("f", "BOOLEAN")],
    "b": [("k", "INT NOT NULL"), ("w", "BIGINT"), ("t", "TEXT NOT NULL")],
    "c": [("k", "INT"), ("s", "TEXT"), ("d", "DOUBLE PRECISION"), ("\"K\"", "INT")],
    "st": [("k", "INT"), ("n", "INT NOT NULL"), ("s", "TEXT")],
    "e": [("k", "INT"), ("z", "TEXT")],
}
ROWS = {
    "a": [[1, 1, 2, "a", 0.5, True], [2, 1, -3, "b", -2.5, False], [3, 2, None, "", 1.5, None],
          [4, None, 1, "é", 2.5, True], [5, 3, 0, None, None, False],
          [6, 0, 2, "Montréal", 0.0, True], [7, -7, 40, "A_b%", -0.25, None],
          [8, 2, 2, "12", 1e6, True], [9, 2, 2, "12", 1e6, True], [10, -1, 7, " x ", 3.5, False]],
    "b": [[1, 1, "a"], [1, 2, "é"], [2, None, ""], [4, 0, "b"], [-7, 10000000000, "Z"],
          [3, -5, "z"]],
    "c": [[1, "a", 0.5, 2], [2, "b", None, 1], [None, None, 1.5, None], [2, "", 2.5, 2],
          [3, "éa", -1.0, 0]],
    "st": [[1, 2, "a"], [1, 2, "a"], [2, 0, "b"], [None, 3, "ab"], [3, 1, None], [0, 1, "é"],
           [4, 2, "a"], [9, 9, "q"], [1, 3, ""]],
    "e": [],
}
TEXTS = ["", "a", "b", "é", "Montréal", "A_b%", "12", "-7", " x ", "a,b,,c", "ß", "e\u0301", "日本",
         "%", "_", "it's", "\\"]
PATTERNS = ["%", "_", "a%", "%a%", "_ontr_al", "é%", "A\\_b\\%", "%\\%", "", "A%", "%%", "_%_",
            "12", "[a]%", "*"]
NUMBERS = ("INT", "BIGINT", "REAL")
SQL_TYPE = {"INT": "INT", "BIGINT": "BIGINT", "REAL": "DOUBLE PRECISION", "TEXT": "TEXT",
            "BOOLEAN": "BOOLEAN"}


def kind_of(declared):
    name = declared.removesuffix(" NOT NULL")
    return "REAL" if name == "DOUBLE PRECISION" else name


def literal(text):
    return "'" + text.replace("'", "''") + "'"


class Queries:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.n_names = 0
        self.may_fail = False
        self.ordered = False  # the query decides the order of its rows
        self.views = []  # (name, query), each over tables and those before it

    # Chance

    def percent(self, n):
        return self.random.random() * 100 < n

    def pick(self, items):
        return self.random.choice(items)

    def name(self):
        self.n_names += 1
        return f"q{self.n_names}" if self.percent(90) else f"\"Q{self.n_names}\""

    # Expressions. `columns` are (text, type); `depth` how deep they nest; `inner` whether a
    # subquery may stand in them.

    def expr(self, kind, columns, depth, inner=True):
        plain = [text for text, type_ in columns if type_ == kind]
        if depth <= 0 or self.percent(25):
            return self.pick(plain) if plain and self.percent(80) else self.constant(kind)
        if self.percent(12):
            return self.choice(kind, columns, depth - 1, inner)
        if inner and self.percent(6) and kind != "BOOLEAN":
            return self.scalar(kind, columns, depth - 1)
        return getattr(self, kind.lower())(columns, depth - 1, inner)

    def constant(self, kind):
        if not self.may_fail and self.percent(4):  # PostgreSQL would not look beside it
            return f"CAST(NULL AS {SQL_TYPE[kind]})"
        if kind == "INT":
            return str(self.pick([0, 1, 2, 3, 7, -1, -7, 40]))
        if kind == "BIGINT":
            return self.pick(["10000000000", "9007199254740993", "CAST(2 AS BIGINT)",
                              "CAST(-5 AS BIGINT)"])
        if kind == "REAL":
            return f"CAST({self.pick(['0.5', '-2.5', '1.5', '0', '1e6', '3'])} AS DOUBLE PRECISION)"
        if kind == "TEXT":
            return literal(self.pick(TEXTS))
        return self.pick(["true", "false"])

    def choice(self, kind, columns, depth, inner):
        def one():
            return self.expr(kind, columns, depth, inner)
        condition = self.boolean(columns, depth, inner)
        forms = [
            lambda: f"CASE WHEN {condition} THEN {one()} ELSE {one()} END",
            lambda: f"CASE WHEN {condition} THEN {one()} END",
            lambda: f"CASE {self.expr('INT', columns, 0)} WHEN 1 THEN {one()} WHEN "
                    f"{self.expr('INT', columns, 0)} THEN {one()} ELSE NULL END",
            lambda: f"COALESCE({one()}, {one()})",
            lambda: f"COALESCE(NULL, {one()}, {one()}, {one()})",
            lambda: f"NULLIF({self.pick([t for t, k in columns if k == kind] or [one()])}, {one()})",
        ]
        if kind != "BOOLEAN":
            forms += [lambda: f"GREATEST({one()}, {one()}, {one()})",
                      lambda: f"LEAST({one()}, NULL, {one()})"]
        return self.pick(forms)()

    def scalar(self, kind, columns, depth):
        """A subquery as a value: an aggregate, so of one row."""
        table, source = self.table()
        where = f" WHERE {self.boolean(source + columns, depth, False)}"
        if kind == "BIGINT" and self.percent(50):
            return f"(SELECT count(*) FROM {table}{where})"
        return f"(SELECT {self.aggregate(kind, source, 0)} FROM {table}{where})"

    def nonzero(self, kind, columns, depth):
        """A divisor: never 0, and no constant where PostgreSQL would compute it."""
        zero = self.constant_zero(kind)
        if self.may_fail:
            return f"NULLIF({'r' if kind == 'REAL' else 'v'}, {zero})"
        return f"NULLIF({self.expr(kind, columns, depth, False)}, {zero})"

    def constant_zero(self, kind):
        return "CAST(0 AS DOUBLE PRECISION)" if kind == "REAL" else "0"

    def int(self, columns, depth, inner):
        def one(d=depth):
            return self.expr("INT", columns, d, inner)
        def text():
            return self.expr("TEXT", columns, depth, inner)
        forms = [
            lambda: f"({one()} + {one()})", lambda: f"({one()} - {one()})",
            lambda: f"({one(0)} * {one(0)})", lambda: f"(- {one()})", lambda: f"abs({one()})",
            lambda: f"({one()} / {self.nonzero('INT', columns, depth)})",
            lambda: f"({one()} % {self.nonzero('INT', columns, depth)})",
            lambda: f"length({text()})", lambda: f"strpos({text()}, {text()})",
            lambda: f"position({text()} IN {text()})",
            lambda: f"CAST({self.expr('REAL', columns, 0)} AS INT)",
            lambda: f"CAST({self.expr('BOOLEAN', columns, depth, inner)} AS INT)",
        ]
        if self.may_fail:
            # A column in each: PostgreSQL computes constants where nothing needs them.
            forms += [lambda: f"CAST({self.pick(['s', 's || s', 's || k'])} AS INT)",
                      lambda: f"({one(0)} / (k - v))", lambda: f"({one(0)} % (k - 1))",
                      lambda: f"(v * {one()} * 2147483647)", lambda: f"(k - 2147483647 - {one()})",
                      lambda: f"abs(v + -2147483648 + {one()})",
                      lambda: f"CAST(k + {self.expr('BIGINT', columns, depth)} AS INT)",
                      lambda: f"CAST(r * {self.expr('REAL', columns, depth)} AS INT)"]
        return self.pick(forms)()

    def bigint(self, columns, depth, inner):
        def one(d=depth):
            return self.expr(self.pick(["INT", "BIGINT"]), columns, d, inner)
        def big():
            return self.expr("BIGINT", columns, depth, inner)
        forms = [
            lambda: f"CAST({one()} AS BIGINT)", lambda: f"({big()} + {one()})",
            lambda: f"({one()} - {big()})", lambda: f"(- {big()})", lambda: f"abs({big()})",
            lambda: f"({big()} / {self.nonzero('INT', columns, depth)})",
            lambda: f"({big()} % {self.nonzero('BIGINT', columns, depth)})",
        ]
        if self.may_fail:
            forms += [lambda: f"(k * {big()} * {big()})", lambda: f"({big()} / (k - {one(0)}))",
                      lambda: f"CAST(r * {self.expr('REAL', columns, depth)} * 1e18 AS BIGINT)"]
        return self.pick(forms)()

    def real(self, columns, depth, inner):
        def one(d=depth):
            return self.expr("REAL", columns, d, inner)
        def number():
            return self.expr(self.pick(NUMBERS), columns, depth, inner)
        half = self.constant("REAL")
        forms = [
            lambda: f"CAST({number()} AS DOUBLE PRECISION)", lambda: f"({one()} + {number()})",
            lambda: f"({number()} - {one()})", lambda: f"({one(0)} * {half})",
            lambda: f"(- {one()})", lambda: f"abs({one()})", lambda: f"round({one()})",
            lambda: f"ceil({one()})", lambda: f"floor({number()})",
            lambda: f"({one()} / {self.nonzero('REAL', columns, depth)})",
        ]
        if self.may_fail:
            forms += [lambda: f"({one()} / (r - {one(0)}))", lambda: f"(r * {one()} * 1e300 * v)",
                      lambda: f"CAST(s || {self.expr('TEXT', columns, 0)} AS DOUBLE PRECISION)"]
        return self.pick(forms)()

    def text(self, columns, depth, inner):
        def one(d=depth):
            return self.expr("TEXT", columns, d, inner)
        def place(low=-2):
            return str(self.random.randint(low, 4))
        any_kind = self.pick(["INT", "BIGINT", "REAL", "BOOLEAN"])
        other = self.expr(any_kind, columns, depth, inner)
        if any_kind == "REAL":  # -0 is 0 as text
            other = f"({other} + 0)"
        forms = [
            lambda: f"({one()} || {one()})", lambda: f"({one()} || {other})",
            lambda: f"({other} || {one()})", lambda: f"CAST({other} AS TEXT)",
            lambda: f"lower({one()})", lambda: f"upper({one()})",
            lambda: f"substr({one()}, {place()})", lambda: f"substr({one()}, {place()}, {place(0)})",
            lambda: f"substring({one()} FROM {place()} FOR {place(0)})",
            lambda: f"left({one()}, {place()})", lambda: f"right({one()}, {place()})",
            lambda: f"trim({one()})", lambda: f"btrim({one()}, {one(0)})",
            lambda: f"ltrim({one()}, {one(0)})", lambda: f"rtrim({one()}, {one(0)})",
            lambda: f"trim(LEADING {one(0)} FROM {one()})",
            lambda: f"replace({one()}, {one(0)}, {one(0)})",
            lambda: f"lpad({one()}, {place()})", lambda: f"lpad({one()}, {place(0)}, {one(0)})",
            lambda: f"split_part({one()}, {one(0)}, {self.pick([1, 2, 3, -1, -2])})",
        ]
        if self.may_fail:
            forms += [lambda: f"substr({one()}, {place()}, k)",
                      lambda: f"split_part({one()}, {one(0)}, k)"]
        return self.pick(forms)()

    def boolean(self, columns, depth, inner):
        if depth > 0 and not self.may_fail and self.percent(35):
            word = self.pick([" AND ", " OR "])
            return f"({self.boolean(columns, depth - 1, inner)}{word}" \
                   f"{self.boolean(columns, depth - 1, inner)})"
        if depth > 0 and self.percent(10):
            return f"(NOT {self.boolean(columns, depth - 1, inner)})"
        if inner and depth > 0 and self.percent(20):
            return self.of_subquery(columns, depth - 1)
        kind = self.pick(["INT", "INT", "TEXT", "TEXT", "BIGINT", "REAL", "BOOLEAN"])
        depth -= 1

        def one(k=None):
            k = k or kind
            # Numbers of several types may meet.
            if k in NUMBERS and self.percent(20):
                k = self.pick(NUMBERS)
            return self.expr(k, columns, depth, inner)
        def safe():
            """What one side decides, PostgreSQL does not compute on the other."""
            could, self.may_fail = self.may_fail, False
            value = one()
            self.may_fail = could
            return value
        def bool_():
            return self.expr("BOOLEAN", columns, depth, inner)
        comparison = self.pick(["=", "<>", "<", "<=", ">", ">=", "!="])
        negation = self.pick(["", "", "NOT "])
        escape = self.pick(["", "", " ESCAPE '!'", " ESCAPE ''"])
        pattern = self.pick(PATTERNS)
        if escape == " ESCAPE '!'":
            pattern = pattern.replace("\\", "!")
        forms = [
            lambda: f"({one()} {comparison} {one()})",
            lambda: f"({one()} {comparison} {one()})",
            lambda: f"({one()} IS {negation}NULL)",
            lambda: f"({one()} IS {negation}DISTINCT FROM {one()})",
            lambda: f"({one()} {negation}BETWEEN {safe()} AND {safe()})",
            lambda: f"({one()} {negation}IN ({safe()}, {safe()}, NULL))",
            lambda: f"({one()} {negation}IN ({safe()}, {safe()}))",
            lambda: f"({one('TEXT')} {negation}LIKE {literal(pattern)}{escape})",
            lambda: f"({one('TEXT')} {negation}LIKE {one('TEXT')} || '%' ESCAPE '')",
            lambda: f"starts_with({one('TEXT')}, {one('TEXT')})",
            lambda: f"({bool_()} IS {negation}{self.pick(['TRUE', 'FALSE', 'UNKNOWN'])})",
            lambda: self.expr("BOOLEAN", columns, 0),
        ]
        return self.pick(forms)()

    def of_subquery(self, columns, depth):
        kind = self.pick(["INT", "INT", "TEXT", "REAL"])
        negation = self.pick(["", "NOT "])
        table, source = self.table()
        where = self.boolean(source + columns, depth, False)
        if self.percent(40):
            return f"({negation}EXISTS (SELECT 1 FROM {table} WHERE {where}))"
        if self.percent(30):
            query, _ = self.query_of([kind], depth)
            return f"({self.expr(kind, columns, 0)} {negation}IN ({query}))"
        value = self.expr(kind, source + columns, 1, False)
        return f"({self.expr(kind, columns, 0)} {negation}IN (SELECT {value} FROM {table} " \
               f"WHERE {where}))"

    def aggregate(self, kind, columns, depth):
        def one(k):
            return self.expr(k, columns, depth, False)
        distinct = self.pick(["", "", "DISTINCT "])
        if kind == "INT":
            call = f"{self.pick(['min', 'max'])}({one('INT')})"
        elif kind == "BIGINT":
            call = self.pick([lambda: "count(*)",
                              lambda: f"count({distinct}{one(self.pick(list(SQL_TYPE)))})",
                              lambda: f"sum({distinct}{one('INT')})",
                              lambda: f"max({one('BIGINT')})"])()
        elif kind == "REAL":
            call = self.pick([lambda: f"sum({distinct}{self.plain('REAL', columns)})",
                              lambda: f"avg({self.plain('REAL', columns)})",
                              lambda: f"avg(CAST({one('INT')} AS DOUBLE PRECISION))",
                              lambda: f"{self.pick(['min', 'max'])}({one('REAL')})"])()
        elif kind == "TEXT":
            call = f"{self.pick(['min', 'max'])}({one('TEXT')})"
        else:
            call = f"{self.pick(['bool_and', 'bool_or', 'every'])}({one('BOOLEAN')})"
        if self.percent(15):
            call += f" FILTER (WHERE {self.boolean(columns, 1, False)})"
        return call

    def plain(self, kind, columns):
        """A column or a constant: sums of such are exact in any order."""
        return self.expr(kind, columns, 0)

    def windowed(self, kind, columns):
        keys = self.random.sample([text for text, _ in columns], k=min(2, len(columns)))
        partition = f"PARTITION BY {keys[0]} " if self.percent(70) else ""
        all_columns = ", ".join(text + self.order() for text, _ in columns)
        full = f" OVER ({partition}ORDER BY {all_columns})"
        part = f" OVER ({partition}ORDER BY {keys[-1]}{self.order()})"
        value = f"CAST({self.expr(kind, columns, 1, False)} AS {SQL_TYPE[kind]})"
        if kind == "BIGINT":
            return self.pick([lambda: f"row_number(){full}", lambda: f"rank(){part}",
                              lambda: f"dense_rank(){part}", lambda: f"count(*){part}",
                              lambda: f"count({value}) OVER ({partition})",
                              lambda: f"sum({self.expr('INT', columns, 1, False)}){part}"])()
        forms = [lambda: f"lag({value}){full}", lambda: f"lead({value}, 2){full}",
                 lambda: f"first_value({value}){full}", lambda: f"last_value({value}){full}"]
        if kind != "BOOLEAN":
            forms.append(lambda: f"{self.pick(['min', 'max'])}({value}){part}")
        return self.pick(forms)()

    def order(self):
        return self.pick(["", "", " ASC", " DESC", " NULLS FIRST", " DESC NULLS LAST"])

    # Queries

    def table(self, names=("a", "b", "c", "a", "b", "c", "e"), alias=None):
        """A table with an alias, and its columns."""
        table, alias = self.pick(names), alias or self.name()
        columns = [(f"{alias}.{name}", kind_of(type_)) for name, type_ in COLUMNS[table]]
        if self.percent(10):
            new = [f"y{i}" for i in range(len(columns))]
            columns = [(f"{alias}.{name}", kind) for name, (_, kind) in zip(new, columns)]
            return f"{table} AS {alias} ({', '.join(new)})", columns
        return f"{table} {alias}", columns

    def source(self, depth, ctes):
        if ctes and self.percent(40):
            name, outputs = self.pick(ctes)
            alias = self.name()
            return f"{name} AS {alias}", [(f"{alias}.{n}", kind) for n, kind in outputs]
        if depth > 0 and self.percent(30):
            alias = self.name()
            query, outputs = self.query_of(self.kinds(3), depth - 1, ctes)
            return f"({query}) AS {alias}", [(f"{alias}.{n}", kind) for n, kind in outputs]
        return self.table()

    def stream(self, stream):
        """The stream, or a view or WITH query that reads it: (name, outputs)."""
        if stream is True:
            return self.table(["st"])
        name, outputs = stream
        alias = self.name()
        return f"{name} {alias}", [(f"{alias}.{n}", kind) for n, kind in outputs]

    def join(self, left, columns, item, more, depth, legal):
        """FROM left joined with item, and the columns of both."""
        both = columns + more
        words = ["JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "INNER JOIN"]
        word = self.pick(words if legal else words + ["RIGHT JOIN", "CROSS JOIN", ","])
        if word == ",":
            return f"{left}, {item}", both, True
        if word == "CROSS JOIN":
            return f"{left} CROSS JOIN {item}", both, False
        pairs = [(a, b) for a, x in columns for b, y in more if x == y != "BOOLEAN"]
        if pairs and self.percent(85):
            on = "{} = {}".format(*self.pick(pairs))
            if self.percent(20):
                on += f" AND {self.boolean(both, min(depth, 1), not legal)}"
        else:
            on = self.boolean(both, 1, False)
        return f"{left} {word} {item} ON {on}", both, False

    def using(self):
        """A chain of USING (k); the merged column goes by its bare name."""
        names = self.random.sample(["a", "b", "c", "e"], k=self.pick([2, 2, 3]))
        text, columns = "", [("k", "INT")]
        for i, table in enumerate(names):
            alias = self.name()
            word = self.pick(["JOIN", "LEFT JOIN", "RIGHT JOIN"])
            text += f" {word} {table} {alias} USING (k)" if i else f"{table} {alias}"
            columns += [(f"{alias}.{name}", kind_of(type_)) for name, type_ in COLUMNS[table]]
        return text, columns

    def from_(self, depth, ctes, stream):
        if not stream and self.percent(12):
            return self.using()
        text, columns = self.stream(stream) if stream else self.source(depth, ctes)
        comma = False
        while self.percent(45) and len(columns) < 9:
            item, more = self.source(depth, ctes)
            if comma:  # JOIN binds closer than the comma: its ON does not see what is before
                text, columns = f"{text} CROSS JOIN {item}", columns + more
                break
            text, columns, comma = self.join(text, columns, item, more, depth, stream)
        return text, columns

    def select(self, kinds, depth, ctes=(), stream=False):
        from_, columns = self.from_(depth, list(ctes), stream)
        tail = f" FROM {from_}"
        names = [f"x{i}" if self.percent(92) else f"\"X{i}\"" for i in range(len(kinds))]
        if self.percent(50):
            tail += f" WHERE {self.boolean(columns, depth + 1, True)}"
        if not stream and self.percent(22):
            values, more = self.grouped(kinds, names, columns, depth)
            tail += more
        else:
            values = [self.windowed(kind, columns) if not stream and self.percent(6)
                      else self.expr(kind, columns, depth + 1, True) for kind in kinds]
        distinct = "DISTINCT " if not stream and self.percent(7) else ""
        outputs = ", ".join(f"{value} AS {name}" for value, name in zip(values, names))
        return f"SELECT {distinct}{outputs}{tail}", list(zip(names, kinds))

    def star(self):
        """A SELECT with stars over two tables, no name twice."""
        word = self.pick(["JOIN", "LEFT JOIN", "RIGHT JOIN"])
        left, right = self.random.sample(["a", "b"], k=2)
        where = self.pick(["", " WHERE l.k > 0", " WHERE r.k IS NULL OR l.k <> 2"])
        if self.percent(50):
            outputs = self.pick(["*", "r.k AS rk, *", "*, l.k + 1 AS lk"])
            return f"SELECT {outputs} FROM {left} l {word} {right} r USING (k){where}"
        outputs = self.pick(["*", "r.*, l.*", "1 AS one, l.*", "r.*, l.k || 'x' AS x"])
        renamed = "r (rk, v1, v2)" if right == "b" else "r (i, rk, v1, v2, v3, v4)"
        on = f"l.k = r.rk{where.replace('r.k', 'r.rk').replace(' WHERE', ' AND')}"
        return f"SELECT {outputs} FROM {left} l {word} {right} {renamed} ON {on}"

    def grouped(self, kinds, names, columns, depth):
        groups, values = [], []
        for i, kind in enumerate(kinds):
            if self.percent(45):
                value = self.pick([c for c, k in columns if k == kind] or ["1"])
                if value == "1" or self.percent(30):
                    value = f"COALESCE({self.pick(columns)[0]} IS NULL, false)" \
                        if kind == "BOOLEAN" else self.expr(kind, columns, 1, False)
                if "." in value or value == "k":
                    how = self.random.random()
                    groups.append(value if how < 0.6 else str(i + 1) if how < 0.8 else names[i])
                values.append(value)
            else:
                values.append(self.aggregate(kind, columns, min(depth, 1)))
        tail = f" GROUP BY {', '.join(groups)}" if groups else ""
        if groups and self.percent(30):
            tail += f" HAVING {self.aggregate('BIGINT', columns, 0)} > {self.pick([0, 1, 2])}"
        if not groups:
            values = [self.aggregate(kind, columns, 0) for kind in kinds]
        return values, tail

    def query_of(self, kinds, depth, ctes=(), stream=False):
        """A query of outputs of these types, and its outputs (name, type)."""
        if depth > 0 and self.percent(12):
            return self.with_(kinds, depth, list(ctes), stream)
        if depth > 0 and self.percent(15):
            query, outputs = self.set_operation(kinds, depth, ctes, stream)
        else:
            query, outputs = self.select(kinds, depth, ctes, stream)
        if not stream and self.percent(10):
            query += self.tail(outputs)
        return query, outputs

    def kinds(self, most):
        return [self.pick(list(SQL_TYPE)) for _ in range(self.random.randint(1, most))]

    def with_(self, kinds, depth, ctes, stream):
        parts = []
        for _ in range(self.pick([1, 1, 2])):
            name = self.name()
            over_stream = stream and self.percent(40)
            query, outputs = self.query_of(self.kinds(3), depth - 1, ctes,
                                           stream if over_stream else False)
            if self.percent(30):
                outputs = [(f"n{i}", kind) for i, (_, kind) in enumerate(outputs)]
                name += f" ({', '.join(n for n, _ in outputs)})"
            parts.append(f"{name} AS ({query})")
            made = (name.partition(" ")[0], outputs)
            if over_stream:
                stream = made
            else:
                ctes = ctes + [made]
        query, outputs = self.select(kinds, depth - 1, ctes, stream)
        return f"WITH {', '.join(parts)} {query}", outputs

    def set_operation(self, kinds, depth, ctes, stream):
        def narrowed():
            """The same types, some numbers narrower."""
            return [self.pick(NUMBERS[:NUMBERS.index(k) + 1]) if k in NUMBERS and
                    self.percent(25) else k for k in kinds]
        word = "UNION ALL" if stream else self.pick(["UNION ALL", "UNION ALL", "UNION", "EXCEPT",
                                                     "INTERSECT"])
        # The first has the very types, so that the whole has them.
        left, outputs = self.query_of(kinds, depth - 1, ctes, stream)
        right, _ = self.query_of(narrowed(), depth - 1, ctes, stream)
        return f"({left}) {word} ({right})", outputs

    def tail(self, outputs):
        """ORDER BY all outputs, so that rows that tie are equal; perhaps LIMIT."""
        places = [name if self.percent(50) else str(i + 1) for i, (name, _) in enumerate(outputs)]
        text = " ORDER BY " + ", ".join(place + self.order() for place in places)
        if self.percent(50):
            text += f" LIMIT {self.pick([0, 1, 2, 5])}"
        if self.percent(25):
            text += f" OFFSET {self.pick([0, 1, 3])}"
        return text

    def make_views(self, stream):
        """Views for the query to read: those over tables, and the stream or one over it."""
        found = []
        for _ in range(self.pick([1, 2])):
            name = self.name()
            over_stream = stream and self.percent(50)
            query, outputs = self.query_of(self.kinds(3), 1, found,
                                           stream if over_stream else False)
            if self.percent(30):
                outputs = [(f"n{i}", kind) for i, (_, kind) in enumerate(outputs)]
                self.views.append((f"{name} ({', '.join(n for n, _ in outputs)})", query))
            else:
                self.views.append((name, query))
            if over_stream:
                stream = (name, outputs)
            else:
                found.append((name, outputs))
        return found, stream

    def query(self, stream=False):
        if not stream and self.percent(5):
            return self.star()
        views, stream = self.make_views(stream) if self.percent(20) else ((), stream)
        query, outputs = self.query_of(self.kinds(4), self.pick([0, 1, 1, 2]), views, stream)
        if not stream and self.percent(30) and " ORDER BY " not in query:
            query += self.tail(outputs)
            self.ordered = True
        return query

    def expression(self):
        self.may_fail = True
        columns = [(name, kind_of(type_)) for name, type_ in COLUMNS["a"]]
        return self.expr(self.pick(list(SQL_TYPE)), columns, 3, False)
