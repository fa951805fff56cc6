"""Programs changed on disk: one function of a copy loops for ever, or crashes, as soon as it is
called. So any handler can be made to do that without a word in its source."""

import platform
import re
import shutil
import struct
import subprocess
from pathlib import Path

# Machine code, executed by the first instruction of a function: what the tables for unwinding say of
# any other would be wrong.
_CODE = {
    "x86_64": {"loop": bytes.fromhex("ebfe"), "crash": bytes.fromhex("0f0b")},  # jmp to itself; ud2
    "aarch64": {"loop": bytes.fromhex("00000014"), "crash": bytes.fromhex("00000000")},  # b; udf
}


def _address(program: Path, function: str, room: int) -> int:
    """Of the function whose readable name matches, which has room for so many bytes. Where one was
    split into a call and the code itself, of the latter."""
    listing = subprocess.run(
        ["nm", "-CS", "--defined-only", program], capture_output=True, text=True, check=True
    ).stdout
    found = []
    for line in listing.splitlines():
        symbol = re.fullmatch(r"([0-9a-f]+) ([0-9a-f]+) [tTwW] (.*)", line)
        if symbol and ".cold" not in symbol[3] and re.search(function, symbol[3]):
            found.append((int(symbol[2], 16), int(symbol[1], 16)))
    size, address = max(found, default=(0, 0))
    if size < room:
        raise LookupError(f"{program.name}: {function} is {found}")
    return address


def _offset(image: bytes, address: int) -> int:
    """Where the bytes of that address are in the file (ELF, 64 bits)."""
    start, size, count = (
        *struct.unpack_from("<Q", image, 32),
        *struct.unpack_from("<HH", image, 54),
    )
    for header in range(start, start + size * count, size):
        kind, _, offset, virtual, _, length = struct.unpack_from("<IIQQQQ", image, header)
        if kind == 1 and virtual <= address < virtual + length:
            return offset + address - virtual
    raise LookupError(f"no segment holds {address:#x}")


def patched(program: Path, target: Path, function: str, what: str) -> Path:
    """A copy of `program` whose `function`, a regular expression, does `what`: loop or crash."""
    image = bytearray(program.read_bytes())
    code = _CODE[platform.machine()][what]
    at = _offset(image, _address(program, function, len(code)))
    image[at : at + len(code)] = code
    target.write_bytes(image)
    shutil.copymode(program, target)
    target.chmod(0o755)
    return target
