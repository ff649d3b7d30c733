"""Hostile versions of valid files, drawn from a seeded generator: the kind of file decides how it is spoiled."""

from __future__ import annotations

import copy
import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

Change = Callable[[random.Random, bytes], bytes]

NUMBERS = (0, 1, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 40, (1 << 63) - 1)
# What a value in a text file may become.
WORDS = (
    b"",
    b" ",
    b"nan",
    b"inf",
    b"-inf",
    b"-1",
    b"0",
    b"1e999",
    b"9" * 400,
    b"../../out",
    b"/etc/passwd",
    b"..",
    b".",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b'"',
    b'""',
    b"'",
    b",",
    b"\t",
    b"\r",
    b"\n",
    b"\x1b[2J",
    b"a" * 5000,
    b"con.png",
    b"-rf",
    b"--help",
    b"$HOME",
    b"~",
    b"%s%n",
    b"\xc3\x28",
    "ï»¿Ж\u2028".encode(),
    b"[",
    b"{",
    b"*a",
    b"&a [*a]",
    b"!!python/object/apply:os.system [x]",
    b"!!int ''",
    b"2024-99-99",
    b"x" * 300 + b".png",
)
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    1 << 70,
    -(1 << 70),
    0.5,
    -0.0,
    1e308,
    float("nan"),
    float("inf"),
    "",
    " ",
    "x",
    "../x",
    "/etc/passwd",
    "\0",
    "\ud800",
    "\n",
    "x" * 5000,
    [],
    [[]],
    {},
    [None],
    {"": {}},
    {"x": [1, {"y": None}]},
    [1] * 1000,
)


def spoil(rng: random.Random, name: str, data: bytes, others: list[bytes]) -> bytes:
    """One hostile version of the file ``name``.

    Args:
        rng: decides everything.
        name: its suffix tells what is done.
        data: what it holds.
        others: what files beside it hold, for splices.
    """
    if rng.random() < 0.02:
        return rng.choice(
            [b"", b"\0", data[:1], b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"[" * 100_000, b'{"a":' * 100_000]
        )
    suffix = PurePath(name).suffix.lower()
    own = _BY_SUFFIX.get(suffix)
    if own is not None and rng.random() < 0.7:
        try:
            return own(rng, data)
        except (ValueError, KeyError, IndexError, struct.error, zipfile.BadZipFile, OverflowError, TypeError):
            pass  # the change does not suit this file
    return raw_bytes(rng, data, others)


# --------------------------------------------------------------------------------------------- any bytes


def raw_bytes(rng: random.Random, data: bytes, others: list[bytes]) -> bytes:
    """Cut, flipped, overwritten, doubled, spliced."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at, length = rng.randrange(len(found) + 1), rng.choice((1, 2, 4, 16, 64, 512))
        match rng.randrange(9):
            case 0:
                del found[at:]
            case 1:
                del found[at : at + length]
            case 2:
                for _ in range(rng.choice((1, 1, 4, 32))):
                    if found:
                        found[rng.randrange(len(found))] ^= 1 << rng.randrange(8)
            case 3:
                found[at : at + length] = rng.randbytes(length)
            case 4:
                found[at:at] = found[at : at + length] * rng.choice((1, 2, 100))
            case 5:
                other = rng.choice(others) if others else data
                start = rng.randrange(len(other) + 1)
                found[at:] = other[start:]
            case 6:
                found[at : at + length] = bytes(length)
            case 7:  # a number near the beginning, where sizes are
                code = rng.choice(("<H", ">H", "<I", ">I", "<Q", ">Q"))
                place, width = rng.randrange(min(len(found), 128) + 1), struct.calcsize(code)
                found[place : place + width] = struct.pack(code, rng.choice(NUMBERS) & ((1 << 8 * width) - 1))
            case 8:
                found += rng.randbytes(length)
    return bytes(found)


# --------------------------------------------------------------------------------------------- pictures


def png(rng: random.Random, data: bytes) -> bytes:
    """Chunks changed, dropped, doubled, exchanged, each with a right checksum: what lies behind it is reached."""
    chunks, at = [], 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    for _ in range(rng.choice((1, 1, 2))):
        i = rng.randrange(len(chunks))
        kind, body = chunks[i]
        match rng.randrange(8):
            case 0:
                head = bytearray(chunks[0][1])
                place = rng.choice((0, 4))
                head[place : place + 4] = struct.pack(">I", rng.choice(NUMBERS[:12]) & 0xFFFFFFFF)
                chunks[0] = (b"IHDR", bytes(head))
            case 1:
                head = bytearray(chunks[0][1])
                head[rng.randrange(8, 13)] = rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
                chunks[0] = (b"IHDR", bytes(head))
            case 2:
                chunks[i] = (kind, raw_bytes(rng, body, []))
            case 3:
                del chunks[i]
            case 4:
                chunks.insert(i, (kind, body))
            case 5:
                chunks.insert(
                    i,
                    (
                        rng.choice((b"tRNS", b"PLTE", b"gAMA", b"iCCP", b"eXIf", b"acTL", b"cHRM", b"pHYs")),
                        rng.randbytes(rng.choice((0, 1, 3, 9, 300))),
                    ),
                )
            case 6:
                note = json_text(rng, b'{"edit": "swap", "weights": "aa", "inputs": {"source": "bb"}}')
                chunks.insert(1, (b"tEXt", b"maskgan\0" + note.replace(b"\0", b"")))
            case 7:
                chunks.insert(1, (b"zTXt", b"maskgan\0\0" + zlib.compress(b" " * rng.choice((10, 1 << 20, 1 << 26)))))
    out = b"\x89PNG\r\n\x1a\n"
    for kind, body in chunks:
        out += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return out


# --------------------------------------------------------------------------------------------- text


def table(rng: random.Random, data: bytes) -> bytes:
    """Lines and cells of a list, of any separator."""
    lines = data.split(b"\n")
    for _ in range(rng.choice((1, 1, 2, 4))):
        i = rng.randrange(len(lines))
        separator = next((s for s in (b",", b"\t", b": ", b" ") if s in lines[i]), b",")
        cells = lines[i].split(separator)
        match rng.randrange(8):
            case 0:
                del lines[i]
                lines = lines or [b""]
            case 1:
                lines.insert(i, lines[rng.randrange(len(lines))])
            case 2 | 3 | 4:
                cells[rng.randrange(len(cells))] = rng.choice(WORDS)
                lines[i] = separator.join(cells)
            case 5:
                del cells[rng.randrange(len(cells))]
                lines[i] = separator.join(cells)
            case 6:
                cells += [rng.choice(WORDS)] * rng.choice((1, 2, 200))
                lines[i] = separator.join(cells)
            case 7:
                return data.replace(b"\n", rng.choice((b"\r", b"\r\n", b"\0\n"))).replace(separator, rng.choice(WORDS))
    return b"\n".join(lines)


def json_text(rng: random.Random, data: bytes) -> bytes:
    """A document with values exchanged, names gone or another, or nested too deep."""
    document = json.loads(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = list(_places(document))
        if not places:
            return json.dumps(rng.choice(VALUES)).encode()
        parent, key = rng.choice(places)
        match rng.randrange(6):
            case 0:
                del parent[key]
            case 1 if isinstance(parent, dict):
                parent[rng.choice(("", "x", "../x", "\n", "sha256", "matrix"))] = parent.pop(key)
            case 2 if isinstance(parent[key], list):
                parent[key] = parent[key] * rng.choice((2, 100)) if rng.random() < 0.5 else parent[key][:-1]
            case 3 if isinstance(parent[key], int | float):
                parent[key] = rng.choice((-1, 0, 1.5, 1e308, float("nan"), float("-inf"), 1 << 80, -parent[key]))
            case _:
                parent[key] = copy.deepcopy(rng.choice(VALUES))  # or it may come to hold itself
    text = json.dumps(document)
    if rng.random() < 0.05:
        text = text.replace(":", ": [" * 5000, 1)
    return text.encode()


def json_lines(rng: random.Random, data: bytes) -> bytes:
    """One line of several documents changed, or the lines themselves."""
    lines = data.splitlines()
    i = rng.randrange(len(lines))
    if rng.random() < 0.7:
        lines[i] = json_text(rng, lines[i])
        return b"\n".join(lines) + b"\n"
    return table(rng, data)


def _places(value: Any) -> Any:
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def yaml_text(rng: random.Random, data: bytes) -> bytes:
    """Lines and values; anchors that grow without end; tags that would run code."""
    if rng.random() < 0.1:
        bomb = b"a0: &a0 [x, x]\n" + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (i, i, i - 1, i - 1) for i in range(1, 40))
        return rng.choice(
            (
                bomb,
                b"a: &a [*a]\n" + data,
                b"? " * 5000,
                b"- " * 5000,
                b"{" * 5000,
                b"!!binary x\n" + data,
                b"<<: [*a, *b]\n",
                data.replace(b":", b": &a", 1),
            )
        )
    return table(rng, data)


# --------------------------------------------------------------------------------------------- archives


def archive(rng: random.Random, data: bytes) -> bytes:
    """A zip file with entries changed inside, gone, renamed, doubled, packed otherwise, or many times larger."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        entries = [(entry.filename, file.read(entry)) for entry in file.infolist()]
    packed = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    for _ in range(rng.choice((1, 1, 2))):
        i = rng.randrange(len(entries))
        name, body = entries[i]
        match rng.randrange(8):
            case 0:
                del entries[i]
                entries = entries or [("x", b"")]
            case 1:
                entries[i] = (rng.choice(("../" + name, "/" + name, "", name.upper(), "x/" + name, name + "\n")), body)
            case 2:
                entries.append((name, body))
            case 3:
                packed = zipfile.ZIP_DEFLATED
                entries[i] = (name, bytes(rng.choice((1 << 20, 50 << 20))))
            case _:
                entries[i] = (name, spoil(rng, name, body, [other for _, other in entries]))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packed) as file:
        for name, body in entries:
            file.writestr(zipfile.ZipInfo(name or "x"), body, packed)
    out = buffer.getvalue()
    return out if rng.random() < 0.8 else raw_bytes(rng, out, [])


def npy(rng: random.Random, data: bytes) -> bytes:
    """An array's header: types, shapes and orders that its bytes do not have."""
    length = struct.unpack("<H", data[8:10])[0]
    head, body = data[10 : 10 + length].decode("latin-1"), data[10 + length :]
    old, new = rng.choice(
        (
            ("<f8", rng.choice(("|O", "<c16", "<U9", "<f4", "<M8[ns]", "|V8", "xx"))),
            ("'shape': (", "'shape': (" + rng.choice(("0, ", "-1, ", "99999999999, ", "1 << 60, "))),
            ("False", rng.choice(("True", "None", "[" * 200))),
            ("<i8", "<f8"),
        )
    )
    head = head.replace(old, new, 1)
    return data[:8] + struct.pack("<H", len(head) & 0xFFFF) + head.encode("latin-1") + body


def safetensors(rng: random.Random, data: bytes) -> bytes:
    """The header of a weights file (what it says of itself, of types, shapes and places), or its numbers."""
    (length,) = struct.unpack("<Q", data[:8])
    head, body = json.loads(data[8 : 8 + length]), bytearray(data[8 + length :])
    match rng.randrange(6):
        case 0:
            head["__metadata__"]["maskgan"] = json_text(rng, head["__metadata__"]["maskgan"].encode()).decode()
        case 1:
            at = rng.randrange(max(1, len(body) // 4)) * 4
            body[at : at + 4] = struct.pack("<f", rng.choice((float("nan"), float("inf"), 3e38, -0.0)))
        case 2:
            tensor = head[rng.choice([name for name in head if name != "__metadata__"])]
            tensor["dtype"] = rng.choice(("F16", "BF16", "F64", "I8", "BOOL", "F8_E5M2", "I64", "C64", "X", ""))
        case 3:
            tensor = head[rng.choice([name for name in head if name != "__metadata__"])]
            tensor["shape"] = rng.choice(([], [0], [1 << 40], [-1], [1] * 200, tensor["shape"][::-1], "x"))
        case 4:
            tensor = head[rng.choice([name for name in head if name != "__metadata__"])]
            tensor["data_offsets"] = rng.choice(([0, 0], [0, 1 << 50], [8, 4], [0], [-1, 4]))
        case 5:
            head = json.loads(json_text(rng, json.dumps(head).encode()))
    text = json.dumps(head).encode()
    return struct.pack("<Q", rng.choice((len(text),) * 9 + NUMBERS[-3:])) + text + bytes(body)


def onnx(rng: random.Random, data: bytes) -> bytes:
    """A network whose shapes, types, nodes and numbers are changed, or that asks for gigabytes."""
    import onnx as package
    from onnx import TensorProto, helper

    model = package.load_from_string(data)
    graph, large = model.graph, [1 << rng.choice((10, 12, 15, 20))] * rng.choice((2, 3, 4))
    match rng.randrange(7):
        case 0:
            sizes = graph.input[0].type.tensor_type.shape.dim
            sizes[rng.randrange(len(sizes))].dim_value = rng.choice((0, -1, 1, 7, 3000, 1 << 40))
        case 1:
            tensor = rng.choice(graph.initializer)
            tensor.dims[:] = rng.choice(([0], [1 << 40], [-1], large, list(tensor.dims)[::-1]))
        case 2:
            tensor = rng.choice(graph.initializer)
            tensor.data_type = rng.choice((0, 7, 8, 10, 11, 99))
        case 3:
            shape = helper.make_tensor("huge", TensorProto.INT64, [len(large)], large)
            graph.initializer.append(shape)
            graph.node.insert(0, helper.make_node("ConstantOfShape", ["huge"], ["much"]))
            if rng.random() < 0.5:
                graph.output.append(helper.make_tensor_value_info("much", TensorProto.FLOAT, None))
        case 4:
            node = rng.choice(graph.node)
            node.op_type = rng.choice(("Expand", "Tile", "Loop", "If", "Resize", "x", "", "Identity", "Shape"))
        case 5:
            node = rng.choice(graph.node)
            node.input[0], node.output[0] = node.output[0], node.input[0]
        case 6:
            tensor = rng.choice(graph.initializer)
            tensor.raw_data = raw_bytes(rng, tensor.raw_data, [])
    return bytes(model.SerializeToString())


_BY_SUFFIX: dict[str, Change] = {
    ".png": png,
    ".csv": table,
    ".txt": table,
    ".json": json_text,
    ".jsonl": json_lines,
    ".lock": json_text,
    ".yaml": yaml_text,
    ".zip": archive,
    ".npz": archive,
    ".pt": archive,
    ".pth": archive,
    ".npy": npy,
    ".safetensors": safetensors,
    ".onnx": onnx,
}
