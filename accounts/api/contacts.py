"""Contacts: read from the mirror, written by their `external_id`.

No postponed annotations here: ninja reads them through the decorators, whose modules lack our names.
"""

from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Query, Router, Schema
from ninja.responses import Status
from pydantic import Field

from accounts.api.batches import BatchOut, rows_of, upsert_batch
from accounts.api.pages import listed_page
from accounts.api.problems import READS, READS_ONE, WRITES, WRITES_ONE
from accounts.api.schemas import ContactOut, ErasureOut
from accounts.api.security import needs
from accounts.api.types import Address, Body, ExternalId, Moment, Properties, Short, SyncPaging, may_be_absent
from accounts.api.writing import writes
from accounts.queries.api import contacts
from accounts.services.person_erasure import request_erasure
from accounts.services.upserts import Given, upsert_row

router = Router(tags=["contacts"])


class ContactFilter(SyncPaging):
    external_id: ExternalId | None = None
    account: ExternalId | None = Field(None, description="the account's external_id")
    email: Short | None = None
    has_left: bool | None = Field(None, description="whether the person left the customer")
    created_since: Moment | None = None

    def lookups(self) -> dict[str, Any]:
        """The filters as Django look-ups."""
        names = {
            "external_id": "external_id",
            "account": "account__external_id",
            "created_since": "created_at__gte",
        }
        found = {path: value for name, path in names.items() if (value := getattr(self, name)) is not None}
        if self.email is not None:
            found["email"] = self.email.lower()
        if self.has_left is not None:
            found["left_at__isnull"] = not self.has_left
        return found


class ContactIn(Body):
    external_id: ExternalId
    account: ExternalId = Field(description="external_id of an account that exists")
    email: Address | None = None
    name: Short | None = None
    role: Short | None = Field(
        None, max_length=60, description="admin, billing, executive, champion, user or your own word"
    )
    language: Literal["en", "ko"] = may_be_absent()
    traits: Properties = Field(default_factory=dict, description="merged into what is there")


class ContactBatch(Body):
    rows: rows_of(ContactIn)  # type: ignore[valid-type]


class ContactPage(Schema):
    results: list[ContactOut]
    next: str | None = Field(description="address of the next page")


@router.get(
    "/contacts/", response={200: ContactPage, **READS}, url_name="contacts", operation_id="list_contacts"
)
@needs("read")
def list_contacts(request: HttpRequest, filters: Query[ContactFilter]) -> Any:
    """Contacts by ascending age in this system, a page at a time."""
    rows = contacts().filter(**filters.lookups())
    return listed_page(request, rows, filters)


@router.get(
    "/contacts/{uuid:public_id}/", response={200: ContactOut, **READS_ONE}, operation_id="get_contact"
)
@needs("read")
def get_contact(request: HttpRequest, public_id: UUID) -> Any:
    """One contact by its public id."""
    return get_object_or_404(contacts(), public_id=public_id)


def _given(body: ContactIn) -> Given:
    return Given(body.model_dump(exclude={"traits"}, exclude_unset=True), body.traits)


@router.put(
    "/contacts/", response={200: ContactOut, 201: ContactOut, **WRITES}, operation_id="upsert_contact"
)
@writes(ContactOut)
def upsert_contact(request: HttpRequest, body: ContactIn) -> Status[Any]:
    """Create the contact with this `external_id` (201) or update it (200). What is left out stays; null empties."""
    given = _given(body)
    done = upsert_row(kind="contacts", values=given.values, extras=given.extras, now=timezone.now())
    code = 201 if done.created else 200
    return Status(code, contacts().get(external_id=body.external_id.strip()))


@router.post("/contacts/batch/", response={200: BatchOut, **WRITES}, operation_id="upsert_contacts")
@writes(BatchOut)
def upsert_contacts(request: HttpRequest, body: ContactBatch) -> Status[Any]:
    """Create or update up to 500 contacts; a row that is refused has its own `errors`, the others are written."""
    return upsert_batch("contacts", ContactIn, body.rows, _given)


@router.post(
    "/contacts/{uuid:public_id}/erasure/",
    response={202: ErasureOut, **WRITES_ONE},
    operation_id="erase_contact",
)
@writes(ErasureOut)
def erase_contact(request: HttpRequest, public_id: UUID) -> Status[Any]:
    """Erase the person: names, addresses and texts go, counts stay. Cannot be undone; asking twice is one request."""
    contact = get_object_or_404(contacts(), public_id=public_id)
    asked = request_erasure(contact=contact, acting_user=None, now=timezone.now())
    row = {"contact_id": contact.public_id, "status": asked.status, "requested_at": asked.requested_at}
    return Status(202, row)
