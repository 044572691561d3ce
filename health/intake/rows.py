"""An event as a row: its fields, what is wrong with it, and the hash that its key contains."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from health.intake import limits

_MICROSECOND = timedelta(microseconds=1)


class EventRow(NamedTuple):
    """One event as its sender stated it. Any tuple in this order will do.

    `message_id` "" = the hash of the whole row. `user_key` is a contact's external id, e-mail or
    an anonymous id; `group_key` an account's external id or alias, or a subscription's id.
    """

    occurred_at: datetime
    name: str
    message_id: str = ""
    user_key: str = ""
    group_key: str = ""
    quantity: float = 1.0
    properties: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """`index` counts the rows of the call from 0; `field` may be "" when the whole row is meant."""

    index: int
    field: str
    reason: str


class BadField(ValueError):
    """A field that cannot be stored. `field` and `reason` are safe to show: they carry no data."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


class StoredRow(NamedTuple):
    """A checked row, in the form the database takes: 16-byte hash, properties as JSON text."""

    occurred_at: datetime
    message_hash: bytes
    quantity: float
    name: str
    user_key: str
    group_key: str
    properties: str | None


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_encode_sorted = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
).encode


def checked(row: EventRow | tuple[Any, ...], *, latest: datetime) -> StoredRow:
    """The row as it will be stored; raises BadField. `latest` is the time of receipt plus `limits.AHEAD`."""
    occurred_at, name, message_id, user_key, group_key, quantity, properties = row
    _check_time(occurred_at, latest)
    if not name or len(name) > limits.NAME_CHARACTERS:
        raise BadField("event", f"must have 1 to {limits.NAME_CHARACTERS} characters")
    if len(user_key) > limits.KEY_CHARACTERS or len(group_key) > limits.KEY_CHARACTERS:
        field = "userId" if len(user_key) > limits.KEY_CHARACTERS else "groupId"
        raise BadField(field, f"is longer than {limits.KEY_CHARACTERS} characters")
    if quantity != 1.0 and not -limits.QUANTITY <= quantity <= limits.QUANTITY:  # NaN fails both
        raise BadField("quantity", "must be a finite number between -1e12 and 1e12")
    check_text(f"{name}{user_key}{group_key}{message_id}", "event")
    text = json_text(properties, "properties") if properties else None
    digest = _digest(message_id, occurred_at, name, user_key, group_key, quantity, properties)
    return StoredRow(occurred_at, digest, float(quantity), name, user_key, group_key, text)


def _check_time(occurred_at: datetime, latest: datetime) -> None:
    if occurred_at.tzinfo is None:
        raise BadField("timestamp", "has no time zone")
    try:
        in_range = limits.EARLIEST <= occurred_at <= latest
    except OverflowError:
        in_range = False
    if not in_range:
        raise BadField("timestamp", "is before the year 2000 or more than two days ahead")


def check_text(text: str, field: str) -> None:
    """Raises BadField for what Postgres cannot hold: NUL and lone surrogates."""
    if "\x00" in text:
        raise BadField(field, "contains a NUL character")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BadField(field, "contains a lone surrogate") from None


def json_text(value: Any, field: str) -> str:
    """`value` as JSON text that Postgres takes; raises BadField for what it does not."""
    try:
        text = _encode(value)
    except ValueError:
        raise BadField(field, "contains a number that is not finite") from None
    except TypeError:
        raise BadField(field, "contains a value that is not JSON") from None
    except RecursionError:
        raise BadField(field, f"is nested deeper than {limits.NESTING} levels") from None
    if text.count("{") + text.count("[") > limits.NESTING and depth(value) > limits.NESTING:
        raise BadField(field, f"is nested deeper than {limits.NESTING} levels")
    if "\\u0000" in text and _has_nul(value):
        raise BadField(field, "contains a NUL character")
    check_text(text, field)
    return text


def size(value: Any) -> int:
    """Bytes of `value` as compact JSON; raises BadField where it has no such form."""
    try:
        return len(_encode(value).encode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        raise BadField("", "contains a number that is not finite, or is nested too deeply") from None


def depth(value: Any) -> int:
    """Levels of nesting; counts until one past the limit, level by level, so it cannot overflow."""
    level, nodes = 0, [value]
    while nodes and level <= limits.NESTING:
        nodes = [child for node in nodes for child in _children(node)]
        level += 1
    return level


def _children(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return [child for child in node.values() if isinstance(child, dict | list)]
    return [child for child in node if isinstance(child, dict | list)] if isinstance(node, list) else []


def _has_nul(value: Any) -> bool:
    """Only asked when the escape occurs in the text, where it may also be an escaped backslash."""
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, Mapping):
        return any("\x00" in str(key) or _has_nul(child) for key, child in value.items())
    return any(_has_nul(child) for child in value) if isinstance(value, list | tuple) else False


def _digest(message_id: str, *payload: Any) -> bytes:
    if message_id:
        return hashlib.sha256(message_id.encode()).digest()[:16]
    occurred_at, name, user_key, group_key, quantity, properties = payload
    moment = (occurred_at - limits.EARLIEST) // _MICROSECOND
    text = _encode_sorted([moment, name, user_key, group_key, float(quantity), properties or {}])
    return hashlib.sha256(text.encode()).digest()[:16]
