"""One request of the intake as one transaction: its identities, its events, their cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from cs_platform.lib.scoping import workspace_scope
from health.intake import limits
from health.intake.protocol import AccountFact, AliasFact, ContactFact, Envelope, Fact, facts
from health.intake.rows import BadField, EventRow, Rejection, StoredRow, checked, size
from health.services.erased_people import without_erased
from health.services.events import store_checked
from health.services.identities import Identities, apply_identities

# A database that is overloaded or locked must end in a quick 503, not in a client that hangs.
_PATIENCE = "SELECT set_config('statement_timeout', '5s', true), set_config('lock_timeout', '2s', true)"


@dataclass(frozen=True)
class Read:
    """The readable part of a request's messages: facts in order, and what was wrong with the others."""

    received_at: datetime
    messages: int
    facts: list[Fact | StoredRow] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)


def read_messages(messages: Sequence[Any], kind: str | None, about: Envelope, *, may_exceed: bool) -> Read:
    """Every message as facts. `may_exceed`: the body is large enough to hold an event over its limit."""
    read = Read(about.received_at, len(messages))
    for index, message in enumerate(messages):
        try:
            if may_exceed and size(message) > limits.EVENT_BYTES:
                raise BadField("", f"is larger than {limits.EVENT_BYTES // 1024} KB")
            found = [_checked(fact, about.received_at) for fact in facts(message, kind, about)]
            read.facts.extend(found)
        except BadField as problem:
            read.rejected.append(Rejection(index, problem.field, problem.reason))
    return read


def _checked(fact: Fact, received_at: datetime) -> Fact | StoredRow:
    latest = received_at + limits.AHEAD
    if isinstance(fact, EventRow):
        return checked(fact, latest=latest)
    if not isinstance(fact, AliasFact) and not limits.EARLIEST <= fact.at <= latest:
        raise BadField("timestamp", "is before the year 2000 or more than two days ahead")
    return fact


def accept(workspace_id: int, found: Sequence[Fact | StoredRow], *, received_at: datetime) -> int:
    """Write the facts and return how many events were there before; durable when it returns."""
    by_kind: Mapping[type, list[Any]] = {StoredRow: [], ContactFact: [], AccountFact: [], AliasFact: []}
    for fact in found:
        by_kind[type(fact)].append(fact)
    with workspace_scope(workspace_id):
        with connection.cursor() as cursor:
            cursor.execute(_PATIENCE)
        known = Identities(by_kind[ContactFact], by_kind[AccountFact], by_kind[AliasFact])
        apply_identities(without_erased(known))
        return store_checked(by_kind[StoredRow], received_at=received_at, source="http").duplicates
