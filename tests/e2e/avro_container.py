# SPDX-License-Identifier: Apache-2.0
"""The parts of an Avro container file (Avro 1.11, "Object Container Files"), read by the specification
alone: metadata, sync marker, blocks as (rows, bytes). Fails where a file is not built so."""
import json
import zlib

MAGIC = b"Obj\x01"
SYNC_BYTES = 16


class Container:
    def __init__(self, data):
        self.data, self.at = data, 0
        self.meta, self.blocks = {}, []
        assert self.take(4) == MAGIC, data[:4]
        while count := self.long():
            if count < 0:
                count, _ = -count, self.long()
            for _ in range(count):
                key = self.take(self.long()).decode()
                assert key not in self.meta, key
                self.meta[key] = self.take(self.long())
        self.sync = self.take(SYNC_BYTES)
        self.header_bytes = self.at
        while self.at < len(data):
            rows, size = self.long(), self.long()
            self.blocks.append((rows, self.take(size)))
            assert rows > 0 and self.take(SYNC_BYTES) == self.sync, f"block {len(self.blocks)}"

    def take(self, n):
        assert 0 <= n <= len(self.data) - self.at, f"{n} bytes at {self.at} of {len(self.data)}"
        self.at += n
        return self.data[self.at - n:self.at]

    def long(self):
        bits = shift = 0
        while True:
            byte = self.take(1)[0]
            bits |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return (bits >> 1) ^ -(bits & 1)

    @property
    def schema(self):
        return json.loads(self.meta["avro.schema"])

    @property
    def codec(self):
        return self.meta["avro.codec"].decode()

    @property
    def n_rows(self):
        return sum(rows for rows, _ in self.blocks)

    def plain_blocks(self):
        """For null and deflate: the blocks' plain bytes."""
        for rows, packed in self.blocks:
            yield rows, packed if self.codec == "null" else zlib.decompress(packed, -15)
