# SPDX-License-Identifier: Apache-2.0
"""Records of CSV that are easily decoded otherwise, and others made by chance of the same pieces."""
import random

BOM = b"\xef\xbb\xbf"
TABLES = {  # what the records are decoded as
    "three": "a TEXT NOT NULL, b TEXT, n INT",
    "types": "n INT NOT NULL, m BIGINT, r REAL, z BOOLEAN",
    "one": "a TEXT",
    "trimmed": "a TEXT NOT NULL, b TEXT, n INT",
}
OPTIONS = {"trimmed": ", trim = true"}

THREE = [
    None, b"", b"t1,s1,5", b"t1,s1,5\n", b"t1,s1,5\r\n", b"t1,s1,5\r", b"t1,s1,5\r\r\n", b"t1,s1,5\n\n", b"t1,s1,5\n\r",
    b"t1,s1,5\r\r", b"\nt1,s1,5", b"t1,s1,5\nt2,s2,6", b"t1\r,s1,5", b"t1,s1\n,5", b"t1,,5", b"t1,,", b",s1,5", b",,",
    b",", b"t1", b"t1,s1", b"t1,s1,5,", b"t1,s1,5,,,,", b"t1,s1,5, ,\t,", b"t1,s1,5,,x", b"t1,s1,5,\"\"", b"t1,s1,5,,\"\"",
    b"t1,s1,5,\x0b\x0c\r\n", b"t1,s1,5,\x1c", b"t1,s1,5, \n", b"t1,s1,5,6",
    # Quotes in each place.
    b'"t1",s1,5', b't1,"s1",5', b't1,s1,"5"', b'"t1","s1","5"\r\n', b'"t,1","s\n1",5', b'"t\r\n1",s1,5', b'"t\r1",s1,5',
    b'"t""1",s1,5', b'"""t1""",s1,5', b'"t1"",s1,5', b'"t1""",s1,5', b't"1,s1,5', b't1",s1,5', b't"1",s1,5', b' "t1",s1,5',
    b'"t1" ,s1,5', b'"t1"\t ,s1,5', b'"t1"x,s1,5', b'"t1" x,s1,5', b'"t1" "",s1,5', b'"t1"\n,s1,5', b'"t1",s1,"5" \r\n',
    b'"t1,s1,5', b't1,"s1,5', b't1,s1,"5', b't1,s1,"', b'"",s1,5', b't1,"",5', b't1,s1,""', b'"" ,"" ,"" ', b't1,"""",5',
    b't1,"""",""""', b't1,""x"",5', b't1,"a,b",5', b't1,",",5', b't1,"\n",5', b't1,"\r\n",5\r\n', b't1,s1,"5\n"', b't1,s1," 5 "',
    b"t1,'s1',5", b't1,\\"s1\\",5', b't1,s\\1,5', b't1,"s\\",5', b't1,"s\\"",5', b'"t1","s1"', b'"t1","s1",5,',
    # The first column's name and what is like it.
    b"a,b,n", b"a,b,n\r\n", b" a,b ,\tn", b'"a","b","n"', b'" a","b ","n"', b"A,b,n", b"a,b,n,", b"a,b", b"a,b,c", BOM + b"a,b,n",
    # Bytes.
    BOM, BOM + b"t1,s1,5", BOM + BOM + b"t1,s1,5", BOM + b'"t1",s1,5', b"t1," + BOM + b",5", b"t\x001,s1,5", b"\x00,s1,5",
    b't1,"\x00",5', b"t1,s1,5\x00", b"t1,s1,5,\x00", b"t\xc3\xa91,\xe6\x97\xa5\xe6\x9c\xac,5", b"t1,\xf0\x9f\x98\x80,5", b"t\xe91,s1,5",
    b"t1,\xc3,5", b"t1,\xc3", b"t1,\x80,5", b"t1,\xc0\xaf,5", b"t1,\xe0\x80\xaf,5", b"t1,\xf0\x80\x80\xaf,5", b"t1,\xc1\xbf,5",
    b"t1,\xed\xa0\x80,5", b"t1,\xed\xbf\xbf,5", b"t1,\xed\x9f\xbf,5", b"t1,\xed\xa0\xbd\xed\xb8\x80,5", b"t1,\xf4\x90\x80\x80,5",
    b"t1,\xf4\x8f\xbf\xbf,5", b"t1,\xf5\x80\x80\x80,5", b"t1,\xff\xfe,5", b"t1,\xef\xbf\xbd,5", b"t1,\xef\xbf\xbe,5", b"t1,\xe2\x80\xa8,5",
    b"t1,\xc2\x85,5", b"t1,\x7f,5", b"t1,\x1a,5", b"\x1a", b" ", b" \t ", b"\xff\xfet\x001\x00", b"\x1f\x8b\x08", b"PK\x03\x04", b"\xc2\xa0,s1,5",
    # White space is data.
    b" t1 , s1 ,5", b"\tt1,s1,5", b"t1,  ,5", b't1,"  ",5', b"t1,\x0b,5", b"t1,e\xcc\x81,5", b"t1,NULL,5", b"t1,\\N,5", b"t1,null,5",
    # Long ones.
    b"t1," + b"x" * 200_000 + b",5", b't1,"' + b"x" * 200_000 + b'",5', b't1,"' + b'""' * 3000 + b'",5', b't1,"' + b'a""' * 3000 + b'",5',
    b't1,"' + "é".encode() * 60_000 + b'",5', "t1,".encode() + "日".encode() * 60_000 + b",5", b"t1,s1,5" + b"," * 5000, b"," * 3000,
    b't1,' + b'"x",' * 3000 + b"5", b't1,s1,5,' + b'"",' * 1000, b't1,"' + b"\n" * 5000 + b'",5', b't1,"' + b'""' * 3000 + b",5",
]
NUMBERS = [b"5", b"-5", b"+5", b"--5", b"+", b"-", b"05", b"-0", b"+0", b"000000000000000000000000000000000000005", b"2147483647",
           b"2147483648", b"-2147483648", b"-2147483649", b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808",
           b"-9223372036854775809", b"99999999999999999999", b"5.0", b"5.", b".5", b".", b"1e3", b"1E3", b"1e+3", b"1.e3", b"e3", b"1e", b"0x1",
           b"1_000", b"1 000", b"5L", b"5d", b"5f", b"NaN", b"Infinity", b"-Infinity", b"1e308", b"1.8e308", b"-1e309", b"1e-400", b"5e-324",
           b"0.1", b"-.5", b"+1.5", b"007.5", b"1" * 300, b"0." + b"1" * 390, b"1" * 398, b"0" * 398 + b"1", b" 5", b"5 ", b"\t5\x0b", b"5\xc2\xa0",
           "١".encode(), "５".encode(), b"\xe2\x88\x925", b"five", b"", b'""', b'"5"', b'" 5 "', b'"5"" "', b'"+5" ', b"true", b"false", b"t", b"f", b"1",
           b"0", b"TRUE", b"True", b"yes", b"on", b"T", b" true ", b"2", b"00", b"\x1f5", b"5\x1c", b"\x00", b"1.7976931348623157e308", b"1.7976931348623159e308"]
PIECES = [b",", b",", b",", b'"', b'"', b'""', b"\r", b"\n", b"\r\n", b" ", b"\t", b"a", b"b", b"n", b"5", b"-", b"+", b"12", b"1.5", b"x", b"t1",
          "é".encode(), b"\xc3", b"\xed\xa0\x80", b"\x00", BOM, b"\x0b", b"'", b"\\", b"true", b"", b'"a"', b'"5"', b"\xf0\x9f\x98\x80"]


def types():
    good = [b"1", b"2", b"0.5", b"t"]
    for i in range(4):
        for number in NUMBERS:
            yield b",".join(good[:i] + [number] + good[i + 1:])
    yield b"n,m,r,z"


def by_chance(n, seed):
    """Records that are nearly some: fields of a few pieces, with commas between."""
    chance = random.Random(seed)
    for _ in range(n):
        if chance.random() < 0.5:
            yield b"".join(chance.choice(PIECES) for _ in range(chance.randrange(12)))
            continue
        fields = [b"".join(chance.choice(PIECES) for _ in range(chance.randrange(4))) for _ in range(3)]
        fields = [b'"%s"' % f.replace(b'"', b'""') if chance.random() < 0.3 else f for f in fields]
        yield b",".join(fields) + chance.choice([b"", b"", b"\n", b"\r\n", b"\r", b",", b"\n\n"])


def records(table, n_by_chance, seed):
    own = list(types()) if table == "types" else THREE
    return [*own, *by_chance(n_by_chance, seed)]
