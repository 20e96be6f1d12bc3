# SPDX-License-Identifier: Apache-2.0
# test: needs hdfs
"""Our checksum of a file is the one that HDFS has of it, whatever its number of blocks; else what has
more than two of them could never be committed. Files with small blocks, as a client may ask for; whole
ones of 128 MB with --long."""
import pathlib
import random
import subprocess
import sys

import lib
import results
import webhdfs

sys.path.insert(0, str(lib.ROOT / "tools"))
import verify_log  # noqa: E402  (the second opinion has a checksum of its own)

MD5_AT = 24  # hex digits of GETFILECHECKSUM's bytes before the MD5
BIG_BLOCK = 128 << 20


def tool(*args, data=b""):
    path = pathlib.Path(lib.program()).parent / "tests/checksum_tool"
    if not path.exists():
        raise AssertionError(f"no {path}; ./dev build makes it")
    done = subprocess.run([path, *map(str, args)], input=data, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().strip()


def md5_of(answer):
    return answer["bytes"][MD5_AT:MD5_AT + 32]


def compare(block, sizes):
    hdfs, random_bytes = webhdfs.WebHdfs(lib.hdfs_url()), random.Random(block)
    for size in sizes:
        data = random_bytes.randbytes(size)
        hdfs.write("f", data, blocksize=block)
        answer = hdfs.checksum("f")
        n_crc = block // 512 if size > block else 0
        assert answer["algorithm"].startswith(f"MD5-of-{n_crc}MD5-of-") or size == 0, answer
        assert tool(block, data=data) == md5_of(answer), f"{size} bytes, blocks of {block}"
        assert verify_log.hdfs_checksum(data, block) == md5_of(answer), size


def test_one_to_nine_blocks():
    """At the edge of each number of blocks, a byte less and more."""
    for block in (512, 1536):
        compare(block, (max(0, n * block + more) for n in range(10) for more in (-1, 0, 1)))


def test_where_the_buffer_of_digests_grows():
    compare(512, (n * 512 for n in (15, 16, 17, 31, 32, 33, 65)))


class BigJob:
    """A job with one record that has so many rows that its one file takes about `n_bytes`."""

    def __init__(self, n_bytes):
        self.directory = lib.tmp_dir()
        self.result = lib.hdfs_url()
        n_rows, n_records, text = 10000, n_bytes // 10000 // 1000, "x" * 985
        (self.directory / "days").mkdir()
        (self.directory / "days/days.csv").write_text(
            "id,day\n" + "".join(f"a,{text}{i:05}\n" for i in range(n_rows)))
        (self.directory / "stops.csv").write_text(
            "id,n\n" + "".join(f"a,{i:05}\n" for i in range(n_records)))
        self.script = self.directory / "pipeline.sql"
        self.script.write_text(f"""
            SET spool = '{self.directory}/spool'; SET commit.bytes = '16GB';
            SET commit.rows = '1000000000'; SET commit.interval = '1h';
            CREATE TABLE days (id TEXT, day TEXT)
              WITH (connector = 'filesystem', path = '{self.directory}/days', format = 'csv');
            CREATE TABLE stops (id TEXT, n TEXT)
              WITH (connector = 'file', path = '{self.directory}/stops.csv');
            CREATE TABLE result () WITH (connector = 'filesystem', format = 'csv',
              path = '{self.result}');
            INSERT INTO result SELECT s.n, d.day FROM stops s JOIN days d ON d.id = s.id;""")

    def check(self, n_blocks):
        lib.run("run", "--once", self.script, limit_s=200)
        files = [f for entry in results.log_entries(self.result).values() for f in entry["files"]]
        assert len(files) == 1, files
        assert (files[0]["bytes"] + BIG_BLOCK - 1) // BIG_BLOCK == n_blocks, files
        hdfs = webhdfs.WebHdfs(self.result)
        assert md5_of(hdfs.checksum(files[0]["name"])) == files[0]["checksum"]
        lib.run("verify", self.script)
        hdfs.delete()


@lib.only_long
def test_a_file_of_three_and_of_five_whole_blocks_is_committed():
    for n_blocks in (3, 5):
        BigJob(n_blocks * BIG_BLOCK - BIG_BLOCK // 2).check(n_blocks)
