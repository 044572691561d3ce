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
_POSTGRES_EPOCH = 946_684_800_000_000  # 2000-01-01, in microseconds since 1970
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


def read_arrays(sql: str, params: dict[str, Any], kinds: Sequence[str]) -> tuple[NDArray[Any], ...]:
    """Columns of a SELECT as one array each, in no particular order of rows; no value may be NULL.

    The server packs each column into one value: the driver handles every row of a COPY by itself, which for
    some 100,000 narrow rows costs more than the query. `kinds` as above, and "at" timestamptz (microseconds
    since 1970 as int64).
    """
    names = [f"c{at}" for at in range(len(kinds))]
    packed = ", ".join(f"array_agg({name})" for name in names)
    statement = f"COPY (SELECT {packed} FROM ({sql}) AS found({', '.join(names)})) TO STDOUT (FORMAT binary)"
    with connection.cursor() as cursor, cursor.cursor.copy(statement, params) as copy:
        raw = b"".join(copy)
    found, place = [], HEADER_BYTES + 2
    for kind in kinds:
        length = int.from_bytes(raw[place : place + 4], "big", signed=True)
        place += 4
        found.append(_unpacked(raw, place, length, kind))
        place += max(length, 0)
    return tuple(found)


def _unpacked(raw: bytes, place: int, length: int, kind: str) -> NDArray[Any]:
    """One array value: dimensions, a NULL flag, the type, size and lower bound, then length and value of each."""
    plain = "i8" if kind == "at" else kind
    width = 4 + _WIDTHS[plain]
    if length < 0:
        return np.zeros(0, dtype=plain)
    head = np.frombuffer(raw, dtype=">i4", count=5, offset=place)
    size = int(head[3])
    if head[1] or length != 20 + size * width:
        raise ValueError(f"a column is not {size} values of kind {kind} without NULL")
    element = np.dtype([("length", ">i4"), ("value", f">{plain}")])
    values = native(np.frombuffer(raw, dtype=element, count=size, offset=place + 20)["value"], plain)
    return values + _POSTGRES_EPOCH if kind == "at" else values


def native(column: Any, kind: str) -> NDArray[Any]:
    """A big-endian column in this machine's own byte order, contiguous."""
    return np.ascontiguousarray(column, dtype=np.dtype(kind))
