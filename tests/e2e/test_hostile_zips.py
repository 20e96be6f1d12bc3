# SPDX-License-Identifier: Apache-2.0
# test: needs nothing
"""Zips that cost more than their bytes: each ends by a limit that is named, in bounded time, memory
and disk, and the staged table stays as it was."""
import os
import resource
import struct
import subprocess
import time
import zlib

import hostile_zip as zips
import lib

HEAD = b"trip_id,route_id\n"
LINE = b"T1,0000000000000000000000000000\n"
MEMORY_MB = 300
CPU_S = 15
OLD = b"trip_id,route_id\nold,1\n"


class Work:
    def __init__(self, **settings):
        self.dir = lib.tmp_dir()
        (self.dir / "staged").mkdir()
        (self.dir / "staged/trips.csv").write_bytes(OLD)
        sets = "".join(f"SET {name.replace('__', '.')} = '{value}';" for name, value in settings.items())
        (self.dir / "p.sql").write_text(
            f"{sets} CREATE TABLE trips (trip_id TEXT NOT NULL, route_id TEXT) WITH (connector = "
            f"'filesystem', path = '{self.dir}/staged', format = 'csv');")
        self.zip = self.dir / "feed.zip"

    def extract(self, code, **kwargs):
        """What it says; fails when it costs too much."""
        command = [lib.program(), "extract", self.zip, "p.sql"]
        began = time.monotonic()
        process = subprocess.Popen(command, cwd=self.dir, stdin=subprocess.DEVNULL, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kwargs)
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        megabytes = used.ru_maxrss // 1024
        print(f"{used.ru_utime + used.ru_stime:.2f} s CPU, {time.monotonic() - began:.2f} s, {megabytes} MB, "
              f"zip of {self.zip.stat().st_size} bytes\n{said}", flush=True)
        assert process.returncode == code, process.returncode
        assert lib.is_checked() or megabytes < MEMORY_MB, megabytes
        assert used.ru_utime + used.ru_stime < CPU_S * (10 if lib.is_checked() else 1)
        left = sorted(path.name for path in (self.dir / "staged").iterdir())
        assert code == 0 or left == ["trips.csv"], left
        if code != 0:
            assert (self.dir / "staged/trips.csv").read_bytes() == OLD
        return said.replace(str(self.dir), "<DIR>")

    def refused(self, text, code=1):
        said = self.extract(code)
        assert said == f"tramline extract: {text}\n", said


RATIO = ("<DIR>/feed.zip: trips.txt unpacks to more than 200 times its bytes in the zip; if that is as it should be, raise"
         " SET feed.member_ratio")


TOO_LARGE = "<DIR>/feed.zip: trips.txt has {} bytes; at most 17179869184 are read: raise SET feed.member_size"


def bomb(n_bytes=2_000_000_000):
    return zips.repeated(LINE, n_bytes, HEAD)


def test_a_ratio_of_a_thousand():
    work = Work()
    packed, size, crc = bomb()
    zips.write(work.zip, [zips.Member(b"", packed=packed, size=size, crc=crc)])
    assert size / len(packed) > 250, size / len(packed)
    work.refused(RATIO)


def test_the_ratio_is_an_option():
    packed, size, crc = bomb(60_000_000)
    for ratio, code in ((1100, 0), (250, 1)):
        work = Work(feed__member_ratio=ratio)
        zips.write(work.zip, [zips.Member(b"", packed=packed, size=size, crc=crc)])
        said = work.extract(code)
        assert code == 0 or f"more than {ratio} times" in said, said


def test_the_size_is_an_option():
    data = HEAD + LINE * 100_000
    work = Work(feed__member_size="1MB")
    zips.write(work.zip, [zips.Member(data)])
    work.refused(f"<DIR>/feed.zip: trips.txt has {len(data)} bytes; at most 1048576 are read: raise SET feed.member_size")
    work = Work(feed__member_size="4MB")
    zips.write(work.zip, [zips.Member(data)])
    work.extract(0)


def test_a_directory_has_the_same_limit():
    work = Work(feed__member_size="1MB")
    work.zip.mkdir()
    (work.zip / "trips.txt").write_bytes(HEAD + LINE * 100_000)
    work.refused(f"<DIR>/feed.zip: trips.txt has {len(HEAD + LINE * 100_000)} bytes; at most 1048576 are read: raise SET "
                 "feed.member_size")


def test_members_that_share_their_bytes():
    work = Work()
    packed, size, crc = bomb(500_000_000)
    zips.write_overlapping(work.zip, packed, size, crc, 9_000)
    work.refused(RATIO)


def test_members_that_quote_each_other():
    work = Work()
    packed, size, crc = bomb(500_000_000)
    others = [b"t%d.txt" % i for i in range(500)]
    zips.write_quoted(work.zip, packed, size, crc, [*others, zips.NAME])
    work.refused(RATIO)
    zips.write_quoted(work.zip, packed, size, crc, [zips.NAME, *others])
    work.refused("<DIR>/feed.zip: trips.txt: the file is a zip; unpack it first: unzip", 3)


def test_sizes_that_lie():
    few, many = HEAD + LINE * 1000, HEAD + LINE * 500_000
    for member, text in (
            (zips.Member(few, size=10), "<DIR>/feed.zip: trips.txt: cannot be unpacked: ZIP uncompressed data is wrong size"
                                        " (read 32017, expected 10)"),
            (zips.Member(many, size=10), "<DIR>/feed.zip: trips.txt has more than the 10 bytes that were to be in it"),
            (zips.Member(few, size=len(few) + 1), "<DIR>/feed.zip: trips.txt: cannot be unpacked: ZIP uncompressed data is"
                                                  " wrong size (read 32017, expected 32018)"),
            (zips.Member(few, crc=7), "<DIR>/feed.zip: trips.txt: cannot be unpacked: ZIP bad CRC: "
                                      f"0x{zlib.crc32(few):x} should be 0x7")):
        work = Work(feed__member_ratio=1100)
        zips.write(work.zip, [member])
        work.refused(text, 3)
    work = Work(feed__member_ratio=1100, feed__member_size="1MB")
    zips.write(work.zip, [zips.Member(many, size=10)])
    work.refused("<DIR>/feed.zip: trips.txt has more than the 1048576 bytes that are read; raise SET "
                 "feed.member_size")


def test_a_member_whose_own_header_says_otherwise():
    data = HEAD + LINE * 1000
    for local in ({"size": 1}, {"size": 0xFFFFFFFE}, {"packed_size": 3}, {"crc": 1}):
        work = Work()
        zips.write(work.zip, [zips.Member(data, **local)])
        said = work.extract(3)
        assert said.startswith("tramline extract: <DIR>/feed.zip: trips.txt: cannot be unpacked: "), said


def zip64(size, packed_size):
    return struct.pack("<2H2Q", 1, 16, size, packed_size)


def test_sizes_of_64_bits_that_lie():
    data = HEAD + LINE * 1000
    for size, packed, text, code in (
            (2**63 - 1, len(zips.deflate(data)), TOO_LARGE.format(2**63 - 1), 1),
            (2**64 - 1, 2**64 - 1, "<DIR>/feed.zip: not a zip file that can be read (Malformed 64-bit uncompressed size); it "
                                   "begins with 'PK..-.......!..._.............tr'", 3),
            (2**40, 2**40, TOO_LARGE.format(2**40), 1)):
        work = Work()
        member = zips.Member(data, extra=zip64(size, packed))
        member.size = member.packed_size = 0xFFFFFFFF
        zips.write(work.zip, [member])
        work.refused(text, code)


def test_a_million_members():
    work = Work()
    zips.write_many(work.zip, 1_000_000)
    work.refused("<DIR>/feed.zip: the zip's directory has more than 16777216 bytes; a feed needs few files")
    zips.write_many(work.zip, 1_000_000, said=1)
    work.refused("<DIR>/feed.zip: the zip's directory has more than 16777216 bytes; a feed needs few files")
    zips.write(work.zip, [zips.Member(b"", b"t%d.txt" % i) for i in range(100_000)])
    work.refused("<DIR>/feed.zip: more than 10000 files in it")


def test_a_zip_in_a_zip():
    work = Work()
    inner = work.dir / "inner"
    packed, size, crc = bomb(100_000_000)
    zips.write(inner, [zips.Member(b"", packed=packed, size=size, crc=crc)])
    zips.write(work.zip, [zips.Member(inner.read_bytes(), b"inner.zip")])
    work.refused("<DIR>/feed.zip: no GTFS table (*.txt), but the zip inner.zip: unpack that one first", 3)


def test_a_line_of_a_gigabyte():
    for packed, size, crc in (zips.repeated(b"x" * 1000, 1_000_000_000, HEAD),
                              zips.repeated(b"x" * 1000, 1_000_000_000, HEAD + b'"')):
        work = Work(feed__member_ratio=1100)
        zips.write(work.zip, [zips.Member(b"", packed=packed, size=size, crc=crc)])
        said = work.extract(3)
        assert "trips.txt:2: the line has more than" in said or "trips.txt:2: " in said, said


def test_a_header_of_a_million_columns():
    for head in (b",".join(b"c%d" % i for i in range(1_000_000)) + b"\n", b"," * 1_000_000 + b"\n",
                 b",".join([b"trip_id"] * 1_000_000) + b"\n"):
        work = Work(feed__member_ratio=1100)
        zips.write(work.zip, [zips.Member(head + LINE)])
        said = work.extract(3)
        assert "feed.zip: trips.txt" in said and len(said) < 4000, said


def test_nothing_is_left_on_the_disk():
    """A limited disk: no member is unpacked before all of it has been read."""
    work = Work()
    packed, size, crc = bomb(300_000_000)
    zips.write(work.zip, [zips.Member(b"", packed=packed, size=size, crc=crc)])
    said = work.extract(1, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
    assert RATIO in said, said


def test_many_small_members():
    """What the script does not read costs nothing."""
    work = Work()
    zips.write(work.zip, [zips.Member(HEAD + LINE)] + [zips.Member(b"a\n1\n", b"t%d.txt" % i)
                                                       for i in range(9_999)])
    said = work.extract(1)
    assert said == "tramline extract: <DIR>/feed.zip: more than 10000 files in it\n", said
    zips.write(work.zip, [zips.Member(HEAD + LINE)] + [zips.Member(b"a\n1\n", b"t%d.txt" % i)
                                                       for i in range(9_998)])
    assert "1 row" in work.extract(0)
