"""A copy of everything that is known of one person, from every table that may know something."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from accounts.models import Contact, Job, PersonRequest, User
from accounts.privacy import DataClass, Person, TableData, personal_data
from accounts.services.audit import audit
from accounts.services.jobs import Lease
from accounts.services.person_texts import mentions
from accounts.services.persons import person_of
from accounts.services.stored_files import store_file
from cs_platform.lib.scoping import workspace_scope

EXPORT_JOB = "accounts.export_person"
KEPT = timedelta(days=7)


@transaction.atomic
def request_person_export(*, contact: Contact, acting_user: User, now: datetime) -> PersonRequest:
    """Ask for a copy; a job makes it."""
    request = PersonRequest.objects.create(
        kind=PersonRequest.Kind.EXPORT, contact=contact, requested_by=acting_user, requested_at=now
    )
    Job.objects.put(EXPORT_JOB, request.pk)
    audit("accounts.person.export_requested", acting_user=acting_user, target=contact)
    return request


def run_person_export(lease: Lease) -> None:
    """Handler of the job: collect and store in one transaction, fenced."""
    with workspace_scope(lease.workspace_id):
        request = PersonRequest.objects.select_related("contact").get(pk=lease.object_id)
        if request.status != PersonRequest.Status.WAITING or request.contact is None:
            return
        collected = collect(person_of(request.contact))
        text = json.dumps(collected, ensure_ascii=False, indent=2, default=_plain)
        now = timezone.now()
        request.file = store_file(
            stream=io.BytesIO(text.encode()),
            name="person.json",
            content_type="application/json",
            expires_at=now + KEPT,
        )
        request.status, request.finished_at = PersonRequest.Status.DONE, now
        request.counts = {name: len(rows) for name, rows in collected["tables"].items()}
        lease.hold()
        request.save()


def collect(person: Person) -> dict[str, Any]:
    """{"keys", "emails", "tables": {table: [row]}}: rows about the person, and texts that name them."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for data in personal_data:
        rows = [*_own_rows(data, person), *mentions(data, person)]
        if rows:
            tables[data.name] = rows
    return {"keys": sorted(person.keys), "emails": sorted(person.emails), "tables": tables}


def _own_rows(data: TableData, person: Person) -> Iterator[dict[str, Any]]:
    if data.of is None:
        return
    hidden = {name for name, kind in data.classes().items() if kind == DataClass.SECRET}
    for row in data.model.objects.filter(data.of(person)).iterator(chunk_size=2000):
        yield _as_dict(row, hidden)


def _as_dict(row: Model, hidden: set[str]) -> dict[str, Any]:
    return {
        field.attname: field.value_from_object(row)
        for field in row._meta.concrete_fields
        if field.name not in hidden and field.name != "workspace" and field.attname != "pk"
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    return str(value) if isinstance(value, Decimal | UUID) else repr(value)
