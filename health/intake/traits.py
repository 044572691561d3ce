"""Traits of people and accounts: the ones that are fields of ours, and the typed rest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from accounts.models.workspaces import LANGUAGES
from cs_platform.lib.domains import read_domain

TEXT_CHARACTERS = 1_000
KEY_CHARACTERS = 100
_EPOCH = date(1970, 1, 1)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(T.*)?")
_CONTACT_FIELDS = {
    "email", "name", "firstName", "lastName", "role", "title", "language", "locale", "createdAt",
    "created_at", "company", "accountId", "id",
}  # fmt: skip
_ACCOUNT_FIELDS = {"name", "industry", "country", "website", "domain", "createdAt", "created_at", "id"}


def contact_fields(traits: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a Contact that the traits state; always with `traits`, the rest of them."""
    name = _text(traits, "name", 200) or " ".join(
        part for part in (_text(traits, "firstName", 100), _text(traits, "lastName", 99)) if part
    )
    fields: dict[str, Any] = {
        "email": _text(traits, "email", 254).lower(),
        "name": name,
        "role": _text(traits, "role", 60) or _text(traits, "title", 60),
        "language": _language(traits),
        "created_at": _created(traits),
    }
    fields = {key: value for key, value in fields.items() if value}
    rest = {key: value for key, value in traits.items() if key not in _CONTACT_FIELDS}
    return {**fields, "traits": rest}


def account_fields(traits: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of an Account that the traits state."""
    address = traits.get("address")
    country = _text(traits, "country", 60) or (
        _text(address, "country", 60) if isinstance(address, Mapping) else ""
    )
    site = read_domain(_text(traits, "website", 300)) or read_domain(_text(traits, "domain", 300))
    fields = {
        "name": _text(traits, "name", 300),
        "industry": _text(traits, "industry", 100),
        "country": country,
        "domain": site,
        "created_at": _created(traits),
    }
    return {key: value for key, value in fields.items() if value}


def account_traits(traits: Mapping[str, Any]) -> Iterator[tuple[str, str, str, float | None]]:
    """(key, kind, text, number) of the other traits; lists, objects and overlong values are left out."""
    for key, value in traits.items():
        if key in _ACCOUNT_FIELDS or not 1 <= len(key) <= KEY_CHARACTERS:
            continue
        typed = _typed(value)
        if typed is not None and len(typed[1]) <= TEXT_CHARACTERS:
            yield key, *typed


def _typed(value: Any) -> tuple[str, str, float | None] | None:
    if isinstance(value, bool):
        return "boolean", str(value).lower(), float(value)
    if isinstance(value, int | float):
        return ("number", repr(value), float(value)) if abs(value) < 1e300 else None
    if not isinstance(value, str) or not value.strip():
        return None
    day = _day(value)
    return ("date", day.isoformat(), float((day - _EPOCH).days)) if day else ("text", value, None)


def _day(value: str) -> date | None:
    try:
        return datetime.fromisoformat(value).date() if _DAY.fullmatch(value) else None
    except ValueError:
        return None


def _created(traits: Mapping[str, Any]) -> datetime | None:
    text = _text(traits, "createdAt", 40) or _text(traits, "created_at", 40)
    try:
        moment = datetime.fromisoformat(text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year >= 1970 else None


def _language(traits: Mapping[str, Any]) -> str:
    code = (_text(traits, "language", 20) or _text(traits, "locale", 20)).lower()
    return code[:2] if code[:2] in dict(LANGUAGES) and code[2:3] in ("", "-", "_") else ""


def _text(traits: Mapping[str, Any], key: str, limit: int) -> str:
    """A trait as stripped text within the limit; "" where it is missing or of another type."""
    value = traits.get(key)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()[:limit]
