"""Messages as lists of fields on the wire, to be broken in ways that an encoder never would."""

import random
import struct
from collections.abc import Iterable, Sequence

VARINT, FIXED64, LENGTH, GROUP, END_GROUP, FIXED32 = range(6)
Field = bytes


def varint(number: int) -> bytes:
    """A number, seven bits a byte."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def tag(number: int, wire_type: int) -> bytes:
    """What stands before a field's content."""
    return varint(number << 3 | wire_type)


def length_delimited(number: int, content: bytes) -> Field:
    """Text, bytes, a message or a packed column."""
    return tag(number, LENGTH) + varint(len(content)) + content


def unpacked(number: int, content: bytes, width: int) -> Iterable[Field]:
    """A packed column's numbers one by one."""
    wire_type = FIXED64 if width == 8 else FIXED32
    return (tag(number, wire_type) + content[at : at + width] for at in range(0, len(content), width))


def split(number: int, content: bytes, at: int) -> Iterable[Field]:
    """A packed column in two runs, cut at any byte."""
    return length_delimited(number, content[:at]), length_delimited(number, content[at:])


def random_field(source: random.Random, number: int) -> Field:
    """A field of any wire type, its content random; its length may be a lie."""
    content = source.randbytes(source.choice((0, 1, 3, 4, 8, 16)))
    match source.randrange(7):
        case 0:
            return tag(number, VARINT) + varint(source.choice((0, 1, 2**31, 2**63, 2**64 - 1)))
        case 1:
            return tag(number, FIXED64) + source.randbytes(8)
        case 2:
            return tag(number, FIXED32) + source.randbytes(4)
        case 3:
            return tag(number, GROUP) + random_field(source, 1) + tag(number, END_GROUP)
        case 4:
            return tag(number, LENGTH) + varint(source.choice((2**31 - 1, 2**32, 2**63, 200))) + content
        case 5:
            return tag(number, source.choice((END_GROUP, 6, 7))) + content
        case _:
            return length_delimited(number, content)


def mutated(source: random.Random, fields: Sequence[Field], numbers: Sequence[int]) -> bytes:
    """A message of these fields after a few accidents; half of the time only such as leave it well-formed."""
    parts = list(fields)
    for _ in range(source.choice((0, 1, 1, 2, 4))):
        at = source.randrange(len(parts)) if parts else 0
        match source.randrange(5):
            case 0 if parts:
                parts.append(parts[at])
            case 1 if parts:
                del parts[at]
            case 2:
                source.shuffle(parts)
            case 3:
                parts.insert(at, random_field(source, source.choice(numbers)))
            case _:
                parts.insert(at, random_field(source, source.choice((15, 100, 2**29 - 1))))
    message = b"".join(parts)
    return message if source.random() < 0.5 else damaged(source, message)


def damaged(source: random.Random, message: bytes) -> bytes:
    """Bytes flipped, cut out, put in, or the end cut off."""
    data = bytearray(message)
    for _ in range(source.choice((1, 1, 2, 8))):
        at = source.randrange(len(data) + 1)
        match source.randrange(4):
            case 0 if at < len(data):
                data[at] ^= 1 << source.randrange(8)
            case 1:
                data[at:at] = source.randbytes(source.randrange(1, 9))
            case 2:
                del data[at : at + source.randrange(1, 9)]
            case _:
                del data[at:]
    return bytes(data)


def packed(code: str, numbers: Iterable[float]) -> bytes:
    """A column, little-endian."""
    return b"".join(struct.pack(f"<{code}", number) for number in numbers)
