"""Large reads straight into numpy: a binary COPY whose rows all have the same width is one buffer.

A driver that makes Python objects of 100,000 wide rows takes seconds; this takes a fraction of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from cs_platform.lib.staging import planned_for_all

HEADER_BYTES = 19  # signature, flags, length of the extension
TRAILER_BYTES = 2
_WIDTHS = {"i8": 8, "i4": 4, "f8": 8}


def read_columns(
    sql: str, params: dict[str, Any], kinds: Sequence[str], array_size: int = 0, *, has_joins: bool = True
) -> Any:
    """Rows of a SELECT as a structured array with fields c0, c1, ...; no value may be NULL.

    `kinds`: "i8" bigint, "i4" integer, "f8" float8. With `array_size`, the last column is a float8[] of
    exactly that many elements without NULL, in the field `values`. Joins are planned for whole tables.
    """
    statement = f"COPY ({sql}) TO STDOUT (FORMAT binary)"
    # `cursor.cursor` is the driver's own: Django's debugging one takes no parameters here.
    with (
        connection.cursor() as cursor,
        planned_for_all(cursor) if has_joins else nullcontext(),
        cursor.cursor.copy(statement, params) as copy,
    ):
        raw = b"".join(copy)
    rows = raw[HEADER_BYTES : len(raw) - TRAILER_BYTES]
    return np.frombuffer(rows, dtype=_row_type(kinds, array_size))


def _row_type(kinds: Sequence[str], array_size: int) -> np.dtype[Any]:
    """The layout of one COPY tuple: a column count, then each value behind its length."""
    fields: list[Any] = [("count", ">i2")]
    for at, kind in enumerate(kinds):
        if kind not in _WIDTHS:
            raise ValueError(f"unknown kind {kind!r}")
        fields += [(f"length{at}", ">i4"), (f"c{at}", f">{kind}")]
    if array_size:
        element = np.dtype([("length", ">i4"), ("value", ">f8")])
        fields += [("array_length", ">i4"), ("array_header", "V20"), ("values", element, (array_size,))]
    return np.dtype(fields)


def filled(values_sql: str, size: int) -> str:
    """An expression: the array cut or padded to `size` elements, with NaN in place of NULL."""
    nan = "'NaN'::float8"
    return (
        f"array_replace({values_sql}[1:{size}], NULL, {nan})"
        f" || array_fill({nan}, ARRAY[greatest({size} - cardinality({values_sql}), 0)])"
    )


def native(column: Any, kind: str) -> NDArray[Any]:
    """A big-endian column in this machine's own byte order, contiguous."""
    return np.ascontiguousarray(column, dtype=np.dtype(kind))
