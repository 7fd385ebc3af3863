"""The file of a finished run that travels: one a run, small, the same bytes whenever it is written.

An xz stream of one line of JSON, {"format": 1, "sha256": of all that follows}, and a safetensors file. Its metadata
hold the run as JSON, in which {"array": n} stands for a list of numbers or for a picture: tensor n, in its exact type,
once however often it occurs. `python scripts/cell.py FILE` prints it.
"""

import base64
import json
import lzma
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save

from al_bench.active.part import hash_of
from al_bench.errors import WordedError
from al_bench.files import digest, parse_json

FORMAT = 1
SUFFIX = ".cell.xz"
_MOST_BYTES = 1 << 26  # unpacked, so that a small file cannot fill the memory; the largest of ours take 150 kB
_MOST_NUMBERS = 5_000_000  # and bytes of pictures
_BROKEN = (lzma.LZMAError, EOFError, SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
_FEWEST = 4  # numbers of a list that becomes an array
_WHOLE = [np.dtype(name) for name in ("u1", "i1", "u2", "i2", "u4", "i4", "i8")]
# Of an entry of `images`, `predicted` or `samples`: PNG in base64
_PICTURES = ("synthetic", "match", "predicted_map", "class_samples")

Cell = dict[str, Any]


class CellError(WordedError):
    """A file that is no whole cell; the message says why, as the end of a sentence that names it."""


class OtherFormatError(CellError):
    """A cell of another version, which may be whole."""


def pack(cell: Mapping[str, Any]) -> bytes:
    """The bytes of a cell's file. cell: plain values, `identity` and `cycles` among them."""
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(_without_arrays(dict(cell), arrays, {}), separators=(",", ":"), allow_nan=False)
    content = save(arrays, {"cell": text})
    head = json.dumps({"format": FORMAT, "sha256": digest(content)}, sort_keys=True)
    return lzma.compress(head.encode() + b"\n" + content, preset=6 | lzma.PRESET_EXTREME)


def unpack(data: bytes) -> Cell:
    """The inverse of `pack`. Raises CellError where the file is not whole, or of another format."""
    try:
        opened = lzma.LZMADecompressor(memlimit=_MOST_BYTES)
        head, _, content = opened.decompress(data, max_length=_MOST_BYTES).partition(b"\n")
        stated = parse_json(head)
        if stated.get("format") != FORMAT:
            raise OtherFormatError(f"is of format {stated.get('format')}, this version reads {FORMAT}")
        if not opened.eof or opened.unused_data or digest(content) != stated.get("sha256"):
            raise CellError("is corrupted, its content does not hash to the sum that it states")
        arrays = load_arrays(content)
        cell = _with_arrays(parse_json(_metadata(content)["cell"].encode()), arrays, [_MOST_NUMBERS])
    except _BROKEN as error:
        raise error if isinstance(error, CellError) else CellError("is not a whole cell") from error
    return dict(cell)


def read_cell(path: Path) -> Cell:
    """A cell from its file, which has the run's id as the end of its name. Raises CellError where it is not whole or
    holds another run than its name says."""
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            raise CellError("is no file of a cell's size")
        cell = unpack(path.read_bytes())
    except OSError as error:
        raise CellError("cannot be read") from error
    if not isinstance(cell.get("identity"), dict) or not isinstance(cell.get("cycles"), list):
        raise CellError("is not a whole cell")
    own = hash_of(cell["identity"])
    if id_of(path) != own:
        raise CellError(f"holds run {own}, which is not its name")
    return cell


def id_of(path: Path) -> str:
    """The run id that a cell's file is named by."""
    return path.name.removesuffix(SUFFIX).rsplit("-", 1)[-1]


def _metadata(content: bytes) -> dict[str, str]:
    size = int.from_bytes(content[:8], "little")
    metadata: dict[str, str] = parse_json(content[8 : 8 + size])["__metadata__"]
    return metadata


def _without_arrays(value: Any, arrays: dict[str, np.ndarray], known: dict[tuple[str, bytes], int]) -> Any:
    """The value with references in place of long lists of numbers and of pictures, which are put into `arrays`."""
    if isinstance(value, dict):
        return {
            key: _refer(np.frombuffer(base64.b64decode(item), np.uint8), arrays, known)
            if key in _PICTURES and isinstance(item, str)
            else _without_arrays(item, arrays, known)
            for key, item in value.items()
        }
    if isinstance(value, list):
        array = _array(value)
        if array is not None:
            return _refer(array, arrays, known)
        return [_without_arrays(item, arrays, known) for item in value]
    return value


def _refer(array: np.ndarray, arrays: dict[str, np.ndarray], known: dict[tuple[str, bytes], int]) -> dict[str, int]:
    number = known.setdefault((array.dtype.str, array.tobytes()), len(known))
    arrays.setdefault(f"{number:06d}", array)
    return {"array": number}


def _array(values: list[Any]) -> np.ndarray | None:
    """A list of numbers, None among them or not, in the smallest type that gives every one back; None for others."""
    if len(values) < _FEWEST:
        return None
    if all(type(value) is int for value in values):
        least, most = min(values), max(values)
        fitting = [kind for kind in _WHOLE if np.iinfo(kind).min <= least and most <= np.iinfo(kind).max]
        return np.array(values, fitting[0]) if fitting else None
    if not all(type(value) is float or value is None for value in values):
        return None
    exact = np.array([np.nan if value is None else value for value in values])
    with np.errstate(over="ignore"):
        short = exact.astype(np.float32)
    return short if _numbers(short) == values else exact


def _with_arrays(value: Any, arrays: Mapping[str, np.ndarray], left: list[int]) -> Any:
    """The inverse. left: how many more numbers a cell may come to, however often it refers to an array."""
    if isinstance(value, dict) and value.keys() == {"array"}:
        return _numbers(_referred(value, arrays, left))
    if isinstance(value, dict):
        return {
            key: base64.b64encode(_referred(item, arrays, left).tobytes()).decode()
            if key in _PICTURES and isinstance(item, dict)
            else _with_arrays(item, arrays, left)
            for key, item in value.items()
        }
    return [_with_arrays(item, arrays, left) for item in value] if isinstance(value, list) else value


def _referred(value: Mapping[str, Any], arrays: Mapping[str, np.ndarray], left: list[int]) -> np.ndarray:
    array = arrays[f"{value['array']:06d}"]
    left[0] -= array.size
    if left[0] < 0:
        raise CellError("unpacks to more than a run can hold")
    return array


def _numbers(array: np.ndarray) -> list[Any]:
    """Plain numbers: each float32 by the fewest digits that lead back to it, NaN as None."""
    if array.dtype.kind != "f":
        return list(array.tolist())
    values = array.astype(str).astype(float) if array.dtype == np.float32 else array
    if not np.isnan(values).any():  # as nearly always
        return list(values.tolist())
    return [None if np.isnan(value) else value for value in values.tolist()]
