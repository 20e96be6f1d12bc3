# SPDX-License-Identifier: Apache-2.0
"""Zips by hand, with the lies that no library writes."""
import struct
import zlib

NAME = b"trips.txt"
EOCD = struct.Struct("<4s4H2LH")
CENTRAL = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")


class Member:
    """What the zip says of a member, and its bytes; `local` are fields that its own header says
    otherwise than the directory."""

    def __init__(self, data, name=NAME, packed=None, method=8, size=None, crc=None, extra=b"", **local):
        self.name, self.method, self.extra, self.local = name, method, extra, local
        self.packed = deflate(data) if packed is None else packed
        self.size = len(data) if size is None else size
        self.packed_size = len(self.packed)
        self.crc = zlib.crc32(data) if crc is None else crc

    def header(self):
        said = {"crc": self.crc, "packed_size": self.packed_size, "size": self.size, **self.local}
        return LOCAL.pack(b"PK\3\4", 45, 0, self.method, 0, 0x21, said["crc"], said["packed_size"],
                          said["size"], len(self.name), 0) + self.name

    def central(self, offset):
        return CENTRAL.pack(b"PK\1\2", 45, 45, 0, self.method, 0, 0x21, self.crc, self.packed_size,
                            self.size, len(self.name), len(self.extra), 0, 0, 0, 0, offset
                            ) + self.name + self.extra


def deflate(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def repeated(line, n_bytes, head=b""):
    """(packed, size, crc) of a header and one line again and again, made in pieces."""
    packer, size, crc = zlib.compressobj(9, zlib.DEFLATED, -15), 0, 0
    pieces, piece = [], line * (1_000_000 // len(line) + 1)
    for part in [head] + [piece] * (n_bytes // len(piece) + 1):
        pieces.append(packer.compress(part))
        crc, size = zlib.crc32(part, crc), size + len(part)
    return b"".join([*pieces, packer.flush()]), size, crc


def end(n, size, offset):
    return EOCD.pack(b"PK\5\6", 0, 0, min(n, 0xFFFF), min(n, 0xFFFF), size, offset, 0)


def write(path, members):
    with open(path, "wb") as out:
        offsets = []
        for member in members:
            offsets.append(out.tell())
            out.write(member.header() + member.packed)
        begin = out.tell()
        for member, offset in zip(members, offsets):
            out.write(member.central(offset))
        out.write(end(len(members), out.tell() - begin, begin))


def write_overlapping(path, packed, size, crc, n):
    """n members whose bytes are the same ones."""
    kernel = Member(b"", packed=packed, size=size, crc=crc)
    names = [NAME, *(b"t%d.txt" % i for i in range(n - 1))]
    with open(path, "wb") as out:
        out.write(kernel.header() + packed)
        begin = out.tell()
        for name in names:
            kernel.name = name
            out.write(kernel.central(0))
        out.write(end(n, out.tell() - begin, begin))


def write_quoted(path, packed, size, crc, names):
    """Members each of which is a stored block that quotes the next one's header, and the next one itself."""
    kernel = Member(b"", names[-1], packed=packed, size=size, crc=crc)
    head, length, packed_size = kernel.header(), size, len(packed)
    members = [(kernel, kernel.header())]  # from the last to the first
    for name in reversed(names[:-1]):
        length += len(head)
        packed_size += 5 + len(head)
        member = Member(b"", name, packed=b"", size=length, crc=0)
        member.packed_size = packed_size
        quote = struct.pack("<BHH", 0, len(head), len(head) ^ 0xFFFF)
        head = member.header()
        members.append((member, head + quote))
    with open(path, "wb") as out:
        offsets = []
        for member, front in reversed(members):
            offsets.append(out.tell())
            out.write(front)
        out.write(packed)
        begin = out.tell()
        for (member, _), offset in zip(reversed(members), offsets):
            out.write(member.central(offset))
        out.write(end(len(names), out.tell() - begin, begin))


def write_many(path, n, said=None):
    """n members in the directory, all of one; `said` is their number as the end says it."""
    with open(path, "wb") as out:
        out.write(Member(b"").header() + Member(b"").packed)
        begin = out.tell()
        for i in range(n):
            out.write(Member(b"", b"t%d.txt" % i).central(0))
        size = out.tell() - begin
        at = out.tell()
        out.write(struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, n, n, size, begin))
        out.write(struct.pack("<4sLQL", b"PK\6\7", 0, at, 1))
        out.write(end(n if said is None else said, size, begin))
