"""Support tickets, and what CSMs and leaving customers put on the timeline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from psycopg.types.json import Jsonb

from accounts.models import Activity, Note, Ticket
from cs_platform.lib.bulk import upsert
from health.services.simulation.identities import Target

_SOURCE = "simulation"


def write_tickets(target: Target) -> int:
    """All tickets, open ones without an end."""
    columns = [
        "public_id",
        "account_id",
        "contact_id",
        "external_id",
        "subject",
        "opened_at",
        "closed_at",
        "priority",
        "satisfaction",
        "properties",
    ]
    rows = [
        (
            uuid4(),
            int(target.account_ids[item.account]),
            int(target.contact_ids[item.contact]),
            item.external_id,
            item.subject,
            item.opened_at,
            item.closed_at,
            item.priority,
            item.satisfaction,
            Jsonb({}),
        )
        for item in target.business.tickets
    ]
    return upsert(
        Ticket._meta.db_table, columns, rows, key=["external_id"], update=["closed_at", "satisfaction"]
    )


def write_touches(target: Target) -> int:
    """Calls, mails and meetings as activities, the CSMs' own words as notes."""
    rows = [*_activity_rows(target), *_cancellation_rows(target)]
    columns = [
        "public_id",
        "account_id",
        "contact_id",
        "author_id",
        "kind",
        "title",
        "body",
        "data",
        "is_touch",
        "occurred_at",
        "source",
    ]
    written = upsert(Activity._meta.db_table, columns, rows, key=["public_id"], update=[])
    columns = ["public_id", "account_id", "author_id", "body", "is_pinned", "created_at"]
    return written + upsert(
        Note._meta.db_table, columns, list(_note_rows(target)), key=["public_id"], update=[]
    )


def _author(target: Target, csm: int) -> int | None:
    member = target.csm(csm)
    return member.user_id if member else None


def _activity_rows(target: Target) -> Iterator[tuple[Any, ...]]:
    for item in target.business.touches:
        if item.kind != "note" and not target.is_told(item.at):
            contact = None if item.contact is None else int(target.contact_ids[item.contact])
            account_id = int(target.account_ids[item.account])
            author, data = _author(target, item.csm), Jsonb({})
            yield (
                uuid4(),
                account_id,
                contact,
                author,
                item.kind,
                "",
                item.text,
                data,
                True,
                item.at,
                _SOURCE,
            )


def _cancellation_rows(target: Target) -> Iterator[tuple[Any, ...]]:
    """Requests to cancel, in the shape that an import of cancellations gives them."""
    for row_id, item in zip(target.subscription_ids, target.business.subscriptions, strict=True):
        requested_at = item.cancel_requested_at
        if requested_at and item.ended_cause == "voluntary" and not target.is_told(requested_at):
            data = {"reason": item.ended_reason, "cause": item.ended_cause, "subscriptions": [int(row_id)]}
            account_id = int(target.account_ids[item.account])
            yield (
                *(uuid4(), account_id, None, None, "cancellation", "", item.comment),
                *(Jsonb(data | {"properties": {}}), False, requested_at, _SOURCE),
            )


def _note_rows(target: Target) -> Iterator[tuple[Any, ...]]:
    for item in target.business.touches:
        if item.kind == "note" and not target.is_told(item.at):
            account_id = int(target.account_ids[item.account])
            yield uuid4(), account_id, _author(target, item.csm), item.text, False, item.at
