"""Values as the API takes them. What JSON can say and the database cannot store is refused at the door."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from ninja import Schema
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt

_NO_NUL = r"^[^\x00]*$"
# RFC 3339: with seconds and a zone, so that an instant is never guessed.
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
FIRST_YEAR, LAST_YEAR = 1970, 2199
MOST_MINOR = 10**14
MOST_PROPERTIES = 200


def _moment(value: Any) -> Any:
    if isinstance(value, str) and not _RFC3339.fullmatch(value):
        raise ValueError("write a date-time with its zone, such as 2026-11-22T08:00:00Z")
    if not isinstance(value, str | datetime):
        raise ValueError("write a date-time as a string, such as 2026-11-22T08:00:00Z")
    return value.upper() if isinstance(value, str) else value


def _day(value: Any) -> Any:
    if not isinstance(value, date) and not (isinstance(value, str) and _DAY.fullmatch(value)):
        raise ValueError("write a date as a string, such as 2026-11-22")
    return value


def _in_years(value: Any) -> Any:
    if not FIRST_YEAR < value.year < LAST_YEAR:
        raise ValueError(f"the year must lie between {FIRST_YEAR + 1} and {LAST_YEAR - 1}")
    return value.astimezone(UTC) if isinstance(value, datetime) else value


ExternalId = Annotated[str, Field(min_length=1, max_length=200, pattern=_NO_NUL)]
Address = Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^\s@\x00]+@[^\s@\x00]+$")]
Moment = Annotated[datetime, BeforeValidator(_moment), AfterValidator(_in_years)]
Day = Annotated[date, BeforeValidator(_day), AfterValidator(_in_years)]
MinorUnits = Annotated[StrictInt, Field(ge=0, le=MOST_MINOR)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")]
Short = Annotated[str, Field(max_length=200, pattern=_NO_NUL)]
Key = Annotated[str, Field(min_length=1, max_length=100, pattern=_NO_NUL)]
Value = (
    StrictBool
    | Annotated[StrictInt, Field(ge=-(2**53), le=2**53)]
    | Annotated[float, Field(strict=True, allow_inf_nan=False)]
    | Annotated[str, Field(max_length=1000, pattern=_NO_NUL)]
    | None
)
Properties = Annotated[dict[Key, Value], Field(max_length=MOST_PROPERTIES)]


def may_be_absent(**about: Any) -> Any:
    """A field that may be left out, but not be null: it always has a value."""
    return Field(None, **about)


class Body(Schema):
    """What a request sends. A field that is not named here is refused, never silently left out."""

    model_config = ConfigDict(extra="forbid")


class Paging(Schema):
    """The query parameters of every list; lists add their filters."""

    model_config = ConfigDict(extra="forbid")

    cursor: Annotated[str, Field(max_length=400, pattern=_NO_NUL)] | None = Field(
        None, description="from `next` of the page before"
    )
    limit: int = Field(50, ge=1, le=200)


class SyncPaging(Paging):
    """Lists of mirrored rows can be followed: what changed since a moment, the oldest change first."""

    updated_since: Moment | None = Field(
        None,
        description="changed at this moment or later, ordered by `updated_at`; go on with the last one you saw",
    )
