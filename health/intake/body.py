"""From the bytes of a request to JSON, without ever holding more than the limit."""

from __future__ import annotations

import json
import zlib
from typing import Any, NoReturn

from health.intake import limits
from health.intake.rows import BadField


class Malformed(ValueError):
    """The body cannot be read at all; the message says where and is safe to show."""


class TooLarge(ValueError):
    """The body, an event or the number of events is over the limit; the message says which."""


def unpacked(raw: bytes, encoding: str) -> bytes:
    """The body as sent before compression. A gzip bomb is cut off at the limit, not unpacked."""
    if encoding in ("", "identity"):
        return _within(raw)
    if encoding != "gzip":
        raise Malformed("Content-Encoding must be gzip or absent")
    reader = zlib.decompressobj(wbits=31)
    try:
        data = reader.decompress(raw, limits.BATCH_BYTES + 1)
    except zlib.error:
        raise Malformed("the body is not valid gzip") from None
    _within(data)
    if not reader.eof or reader.unused_data:
        raise Malformed("the gzip body is cut off or followed by other data")
    return data


def _within(data: bytes) -> bytes:
    if len(data) > limits.BATCH_BYTES:
        raise TooLarge(f"the body is larger than {limits.BATCH_BYTES // 1024} KB")
    return data


def parsed(data: bytes) -> dict[str, Any]:
    """The JSON object in `data`. Raises Malformed with line and column, BadField for what JSON forbids."""
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_not_json)
    except UnicodeDecodeError as problem:
        raise Malformed(f"byte {problem.start} is not UTF-8") from None
    except json.JSONDecodeError as problem:
        raise Malformed(f"line {problem.lineno}, column {problem.colno}: {problem.msg}") from None
    except BadField:
        raise
    except ValueError:  # Python refuses to read integers of thousands of digits
        raise BadField("", "contains a number that is too long") from None
    except RecursionError:
        raise BadField("", f"is nested deeper than {limits.NESTING} levels") from None
    if not isinstance(value, dict):
        raise Malformed("the body must be a JSON object")
    return value


def _not_json(constant: str) -> NoReturn:
    raise BadField("", f"contains {constant}, which is not JSON")
