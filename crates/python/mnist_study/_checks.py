"""Whole numbers that callers pass."""

from __future__ import annotations

import operator
from typing import Any

from ._native import Error


def whole(name: str, value: Any, least: int = 0) -> int:
    """A whole number of any type, NumPy's among them.

    Raises `Error` where it is none or below `least`.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise Error(f"{name}: a whole number from {least} on expected, {value!r} found")
    return number


def whole_or_none(name: str, value: Any, least: int = 0) -> int | None:
    """The same where there need be none."""
    return None if value is None else whole(name, value, least)
