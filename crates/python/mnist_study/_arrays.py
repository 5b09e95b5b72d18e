"""Arrays of any library, made into what the native module reads: a buffer of numbers with a shape, or a list of strings.

A buffer is handed on as it is, so that its elements are read once, where they are.
"""

from __future__ import annotations

import array
import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ._native import Error

if TYPE_CHECKING:
    from typing_extensions import Buffer

#: What the native module reads of a buffer's format.
_NUMBERS = frozenset("bBhHiIlLqQfd")

#: The most dimensions of an array.
_DEEPEST = 4


def numbers_or_strings(values: Any, name: str) -> "Buffer | list[str]":
    """The elements of `values`, copied only where their library gives no other way."""
    values = _on_the_host(values)
    mask = getattr(values, "mask", None)
    if mask is not None and not callable(mask) and getattr(mask, "any", lambda: False)():
        raise Error(f"{name}: a value for every element expected, masked ones found\nhint: leave out what is masked")
    buffer = _buffer(values)
    if buffer is not None:
        return buffer
    if hasattr(values, "__array__"):
        # Of pandas, TensorFlow and others; NumPy is there where they are.
        import numpy

        converted = numpy.asarray(values)
        if converted.dtype.kind in "USO":
            return numbers_or_strings(converted.tolist(), name)
        if converted.dtype.kind not in "biuf":
            raise Error(f"{name}: numbers or strings expected, {converted.dtype} found")
        buffer = _buffer(converted)
        if buffer is None:
            buffer = _buffer(converted.astype("u1" if converted.dtype.kind == "b" else "f8"))
        if buffer is not None:
            return buffer
    if isinstance(values, Sequence) and not isinstance(values, str | bytes):
        return _from_lists(values, name)
    if hasattr(values, "toarray"):
        raise Error(f"{name}: a dense array expected, {type(values).__name__} found\nhint: {name.split(',')[-1].strip()}.toarray()")
    raise Error(f"{name}: an array or a list expected, {type(values).__name__} found\nhint: list(…) makes one of what can be gone through")


def pixels(values: Any, name: str) -> "Buffer":
    """Pixels as bytes from 0 to 255; floats from 0 to 1 are multiplied by 255, with a warning that says so."""
    found = numbers_or_strings(values, name)
    if isinstance(found, list):
        raise Error(f"{name}: numbers expected, strings found")
    view = memoryview(found)
    if view.format == "B" and not _is_boolean(values):
        if view.nbytes and max(view.tobytes()) == 1:
            warn(f"{name}: no pixel is lighter than 1 of 255; fractions are to be floats, or multiplied by 255")
        return found
    flat = _cast(view, None) if view.c_contiguous else memoryview(array.array("d", _flat(view.tolist())))
    if len(flat) == 0:
        return memoryview(b"").cast("B")
    scale = 255 if _is_boolean(values) else 1
    if scale > 1:
        warn(f"{name}: true pixels are read as 255, false ones as 0")
    if view.format in ("f", "d"):
        lowest, highest = min(flat), max(flat)
        if any(value != value for value in flat):
            raise Error(f"{name}: pixels from 0 to 255, or from 0 to 1 as floats, expected, NaN found")
        if not 0 <= lowest <= highest <= 255:
            raise Error(f"{name}: pixels from 0 to 255, or from 0 to 1 as floats, expected, {lowest:g} to {highest:g} found")
        if highest <= 1:
            scale = 255
            warn(f"{name}: floats from {lowest:g} to {highest:g} are read as fractions of 255")
    try:
        values = bytes(round(scale * value) for value in flat)
    except ValueError as error:
        raise Error(f"{name}: pixels from 0 to 255 expected, {min(flat)} to {max(flat)} found") from error
    return memoryview(values).cast("B", shape=list(view.shape or ()))


def shaped(buffer: "Buffer", shape: Sequence[int]) -> "Buffer":
    """The same elements in another shape."""
    reshaped: Buffer = _cast(memoryview(buffer), shape)
    return reshaped


def _cast(view: Any, shape: Sequence[int] | None) -> Any:
    """The same elements in another shape, or as one row."""
    data, kind = view.cast("B"), view.format or "B"
    return data.cast(kind) if shape is None else data.cast(kind, shape=list(shape))


def bytes_as(data: bytes, shape: Sequence[int]) -> Any:
    """Bytes as an array: NumPy's where NumPy is there, else a `memoryview`."""
    try:
        import numpy
    except ImportError:
        return shaped(data, shape)
    return numpy.frombuffer(data, dtype=numpy.uint8).reshape(shape)


def from_bytes(data: bytes, rows: int, columns: int) -> Any:
    """Rows of float32: an array of NumPy where NumPy is there, else a `memoryview` of two dimensions."""
    try:
        import numpy
    except ImportError:
        return memoryview(data).cast("f", shape=[rows, columns]) if rows else memoryview(data).cast("f")
    return numpy.frombuffer(data, dtype=numpy.float32).reshape(rows, columns)


def _is_boolean(values: Any) -> bool:
    return str(getattr(values, "dtype", "")) in ("bool", "torch.bool")


def warn(words: str) -> None:
    """What was guessed or converted, told at the caller's line."""
    warnings.warn(words, stacklevel=_outside())


def _outside() -> int:
    """How far up the stack the first caller outside this package is, as `warnings.warn` counts."""
    level = 1
    while sys._getframe(level).f_globals.get("__package__") == __package__:
        level += 1
    return level


def _on_the_host(values: Any) -> Any:
    """A tensor of PyTorch as one without gradient, in the machine's own memory and of a type that NumPy has."""
    if not hasattr(values, "detach"):
        return values
    values = values.detach().cpu()
    if str(values.dtype) in ("torch.bfloat16", "torch.float16"):
        values = values.float()
    try:
        return values.numpy()
    except (RuntimeError, ImportError):
        return values.tolist()


def _buffer(values: Any) -> "Buffer | None":
    """None where `values` has no buffer, or one of other elements than numbers."""
    try:
        view = memoryview(values)
    except (TypeError, ValueError, BufferError):
        return None
    return values if (view.format or "B") in _NUMBERS else None


def _from_lists(values: Sequence[Any], name: str) -> "Buffer | list[str]":
    shape: list[int] = []
    inner: Any = values
    while isinstance(inner, Sequence) and not isinstance(inner, str | bytes):
        shape.append(len(inner))
        if len(shape) > _DEEPEST:
            raise Error(f"{name}: at most {_DEEPEST} dimensions expected, more found")
        if not inner:
            break
        inner = inner[0]
    if isinstance(inner, str):
        return _strings(list(values), name)
    # A list of tensors, or of rows of NumPy.
    if hasattr(inner, "__array__") or hasattr(inner, "detach"):
        rows = [numbers_or_strings(row, name) for row in values]
        values = [row if isinstance(row, list) else memoryview(row).tolist() for row in rows]
        return _from_lists(values, name)
    _check_rows(values, shape, name)
    flat = _flat(values) if len(shape) > 1 else values
    kind = "q" if isinstance(inner, int) and all(isinstance(value, int) for value in flat) else "d"
    try:
        elements = array.array(kind, flat)
    except (TypeError, ValueError, OverflowError) as error:
        raise Error(f"{name}: numbers or strings expected, {error}") from error
    return shaped(elements, shape) if elements else elements


def _check_rows(values: Sequence[Any], shape: list[int], name: str) -> None:
    """Refuses the first row that is longer or shorter than the first."""
    if len(shape) < 2:
        return
    for row, value in enumerate(values):
        length = len(value) if isinstance(value, Sequence) else 1
        if length != shape[1]:
            raise Error(f"{name}, row {row}: {shape[1]} values as in row 0 expected, {length} found")
        _check_rows(value, shape[1:], name)


def _flat(values: Any) -> list[Any]:
    flat: list[Any] = []
    for value in values:
        if isinstance(value, Sequence):
            flat.extend(_flat(value))
        else:
            flat.append(value)
    return flat


def _strings(values: list[Any], name: str) -> list[str]:
    for row, value in enumerate(values):
        if not isinstance(value, str):
            raise Error(f"{name}, row {row}: a string as in row 0 expected, {type(value).__name__} found")
    return values
