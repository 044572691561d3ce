"""Erasure of a person: their rows become a random tombstone's, texts are emptied, counts stay.

One transaction. Afterwards a keyed hash keeps replayed events, files and mails from bringing the
person back. What stays by law is declared per table (`TableData.legal_basis`).
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import Contact, ImportChange, Job, PersonRequest, User
from accounts.privacy import Person, TableData, personal_data
from accounts.services.audit import audit
from accounts.services.erased import remember
from accounts.services.jobs import Lease
from accounts.services.person_texts import clear, remove_files_naming
from accounts.services.persons import person_of
from cs_platform.lib.scoping import workspace_scope

ERASE_JOB = "accounts.erase_person"


@transaction.atomic
def request_erasure(*, contact: Contact, acting_user: User | None, now: datetime) -> PersonRequest:
    """Ask for the erasure; a job does it within minutes. Asking twice is one request."""
    request, is_new = PersonRequest.objects.get_or_create(
        kind=PersonRequest.Kind.ERASURE,
        contact=contact,
        status=PersonRequest.Status.WAITING,
        defaults={"requested_by": acting_user, "requested_at": now},
    )
    Job.objects.put(ERASE_JOB, request.pk, priority=-2)
    if is_new:
        audit("accounts.person.erasure_requested", acting_user=acting_user, target=contact)
    return request


def run_erasure(lease: Lease) -> None:
    """Handler of the job."""
    with workspace_scope(lease.workspace_id):
        request = PersonRequest.objects.select_related("contact").get(pk=lease.object_id)
        if request.status != PersonRequest.Status.WAITING or request.contact is None:
            return
        now = timezone.now()
        request.counts = erase(contact=request.contact, now=now)
        request.status, request.finished_at = PersonRequest.Status.DONE, now
        lease.hold()
        request.save()


@transaction.atomic
def erase(*, contact: Contact, now: datetime) -> dict[str, int]:
    """Erase the person in the running scope; returns the rows changed by table."""
    Contact.objects.select_for_update().get(pk=contact.pk)
    person = person_of(contact)
    remember({*person.keys, *person.emails}, tombstone=person.tombstone, now=now)
    counts = {"accounts.storedfile": remove_files_naming(person)}
    ImportChange.objects.filter(table=Contact._meta.db_table, object_id=contact.pk).update(
        before={}, after={}
    )
    for data in personal_data:
        changed = _erase_rows(data, person) + clear(data, person)
        if changed:
            counts[data.name] = counts.get(data.name, 0) + changed
    Contact.objects.filter(pk=contact.pk, left_at__isnull=True).update(left_at=now)
    audit("accounts.person.erased", acting_user=None, target=contact)
    return {name: count for name, count in counts.items() if count}


def _erase_rows(data: TableData, person: Person) -> int:
    if data.of is None or data.erase is None:
        return 0
    rows, values = data.model.objects.filter(data.of(person)), data.erase(person)
    if values is None:
        return int(rows.delete()[0])
    return int(rows.update(**values)) if values else 0
