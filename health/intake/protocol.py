"""The Segment HTTP tracking protocol: one message in, one fact out. Nothing is guessed or corrected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from health.intake import limits
from health.intake.rows import BadField, EventRow, check_text, json_text

KINDS = ("track", "identify", "group", "page", "screen", "alias")


@dataclass(frozen=True)
class ContactFact:
    """`identify`, or a `group` call that names its user: who somebody is, and where."""

    user_id: str
    group_key: str
    at: datetime
    traits: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AccountFact:
    """`group`: what an account is."""

    group_key: str
    at: datetime
    traits: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AliasFact:
    """`alias`: two keys of one person."""

    previous_key: str
    user_id: str


Fact = EventRow | ContactFact | AccountFact | AliasFact


@dataclass(frozen=True)
class Envelope:
    """What holds for all messages of a request: its context, when it was sent and received."""

    received_at: datetime
    context: Mapping[str, Any] = field(default_factory=dict)
    sent_at: Any = None


def envelope(body: Mapping[str, Any], received_at: datetime) -> Envelope:
    """Batch-level `context` and `sentAt`; a wrong type is ignored here and shows in the messages."""
    return Envelope(received_at, _mapping(body, "context"), body.get("sentAt"))


def facts(message: Any, kind: str | None, about: Envelope) -> list[Fact]:
    """The facts in one message; raises BadField. `kind` None = the message says it (`type`)."""
    if not isinstance(message, Mapping):
        raise BadField("", "must be a JSON object")
    kind = kind or message.get("type")
    if kind not in KINDS:
        raise BadField("type", f"must be one of {', '.join(KINDS)}")
    return _READERS[kind](message, kind, about)


def moment(message: Mapping[str, Any], about: Envelope) -> datetime:
    """When it happened: `timestamp`, else `originalTimestamp`, else `sentAt`, else the time of receipt."""
    for name in ("timestamp", "originalTimestamp", "sentAt"):
        if (value := message.get(name)) not in (None, ""):
            return _time(name, value)
    return _time("sentAt", about.sent_at) if about.sent_at else about.received_at


def _time(name: str, value: Any) -> datetime:
    if not isinstance(value, str):
        raise BadField(name, "must be a date and time in ISO 8601")
    try:
        parsed = datetime.fromisoformat(value)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadField(name, "is not a date and time in ISO 8601, or out of range") from None


def _event(message: Mapping[str, Any], kind: str, about: Envelope) -> list[Fact]:
    properties = _mapping(message, "properties")
    row = EventRow(
        occurred_at=moment(message, about),
        name=_name(message, kind, properties),
        message_id=_key(message, "messageId", limit=limits.EVENT_BYTES),
        user_key=_key(message, "userId") or _key(message, "anonymousId"),
        group_key=_group_key(message, about, properties),
        quantity=_quantity(properties),
        properties=properties or None,
    )
    if not row.user_key and not row.group_key:
        raise BadField("userId", "is missing: userId, anonymousId or groupId is needed")
    return [row]


def _name(message: Mapping[str, Any], kind: str, properties: Mapping[str, Any]) -> str:
    if kind == "track":
        name = message.get("event")
        if not isinstance(name, str) or not name:
            raise BadField("event", "is missing or not a text")
        return name
    name = message.get("name") or properties.get("name") or ""
    if not isinstance(name, str):
        raise BadField("name", "must be a text")
    return f"{kind}:{name}" if name else kind


def _quantity(properties: Mapping[str, Any]) -> float:
    value = properties.get("quantity")
    if value is None or value == "":
        return 1.0
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadField("properties.quantity", "must be a number")
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise BadField("properties.quantity", "must be a number") from None


def _identify(message: Mapping[str, Any], kind: str, about: Envelope) -> list[Fact]:
    traits = _traits(message)
    user_id = _key(message, "userId")
    if not user_id and not _key(message, "anonymousId"):
        raise BadField("userId", "is missing")
    company = traits.get("company")
    company_id = _key(company, "id", "traits.company.id") if isinstance(company, Mapping) else ""
    group_key = _group_key(message, about, {}) or company_id or _key(traits, "accountId", "traits.accountId")
    at = moment(message, about)
    # An anonymous visitor is nobody yet; an alias or a later identify names them.
    return [ContactFact(user_id, group_key, at, traits)] if user_id else []


def _group(message: Mapping[str, Any], kind: str, about: Envelope) -> list[Fact]:
    group_key, user_id, at = _key(message, "groupId"), _key(message, "userId"), moment(message, about)
    if not group_key:
        raise BadField("groupId", "is missing")
    account = AccountFact(group_key, at, _traits(message))
    return [account, ContactFact(user_id, group_key, at)] if user_id else [account]


def _alias(message: Mapping[str, Any], kind: str, about: Envelope) -> list[Fact]:
    previous, user_id = _key(message, "previousId"), _key(message, "userId")
    if not previous or not user_id:
        raise BadField("userId" if previous else "previousId", "is missing")
    return [AliasFact(previous, user_id)]


_READERS = {
    "track": _event,
    "page": _event,
    "screen": _event,
    "identify": _identify,
    "group": _group,
    "alias": _alias,
}


def _group_key(message: Mapping[str, Any], about: Envelope, properties: Mapping[str, Any]) -> str:
    return (
        _key(_mapping(message, "context"), "groupId", "context.groupId")
        or _key(message, "groupId")
        or _key(properties, "accountId", "properties.accountId")
        or _key(about.context, "groupId", "context.groupId")
    )


def _traits(message: Mapping[str, Any]) -> Mapping[str, Any]:
    traits = _mapping(message, "traits")
    if traits:
        json_text(traits, "traits")
    return traits


def _mapping(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = message.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadField(name, "must be a JSON object")
    return value


def _key(message: Mapping[str, Any], name: str, label: str = "", limit: int = limits.KEY_CHARACTERS) -> str:
    """A key as text; senders often give numbers. "" where it is missing."""
    value = message.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadField(label or name, "must be a text or a whole number")
    text = str(value)
    if len(text) > limit:
        raise BadField(label or name, f"is longer than {limit} characters")
    check_text(text, label or name)
    return text
