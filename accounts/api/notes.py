"""What the team wrote and did: notes, and the timeline with its touches.

No postponed annotations here: ninja reads them through the decorators, whose modules lack our names.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Query, Router, Schema
from ninja.responses import Status
from pydantic import Field

from accounts.api.pages import listed_page
from accounts.api.problems import READS, READS_ONE, WRITES, invalid
from accounts.api.schemas import ActivityOut, NoteOut
from accounts.api.security import needs
from accounts.api.types import Body, ExternalId, Moment, Paging, Short
from accounts.api.writing import writes
from accounts.models import Account, Contact
from accounts.queries.api import activities, notes
from accounts.services.activities import log_touch
from accounts.services.notes import add_note

router = Router(tags=["notes and activities"])
Words = Annotated[str, Field(max_length=20_000, pattern=r"^[^\x00]*$")]


class NoteFilter(Paging):
    account: ExternalId | None = Field(None, description="the account's external_id")
    created_since: Moment | None = None

    def lookups(self) -> dict[str, Any]:
        """The filters as Django look-ups."""
        names = {"account": "account__external_id", "created_since": "created_at__gte"}
        return {path: value for name, path in names.items() if (value := getattr(self, name)) is not None}


class NoteIn(Body):
    account: ExternalId = Field(description="external_id of an account that exists")
    body: Words = Field(min_length=1)
    is_pinned: bool = Field(False, strict=True)


class NotePage(Schema):
    results: list[NoteOut]
    next: str | None = Field(description="address of the next page")


class ActivityFilter(Paging):
    account: ExternalId | None = Field(None, description="the account's external_id")
    kind: Short | None = None
    is_touch: bool | None = None
    occurred_since: Moment | None = None

    def lookups(self) -> dict[str, Any]:
        """The filters as Django look-ups."""
        names = {
            "account": "account__external_id",
            "kind": "kind",
            "is_touch": "is_touch",
            "occurred_since": "occurred_at__gte",
        }
        return {path: value for name, path in names.items() if (value := getattr(self, name)) is not None}


class TouchIn(Body):
    """A call, meeting, mail or visit that took place; it counts as contact with the customer."""

    account: ExternalId = Field(description="external_id of an account that exists")
    kind: Literal["call", "meeting", "email", "visit"]
    occurred_at: Moment
    contact: ExternalId | None = Field(None, description="external_id of a contact of the account")
    body: Words = ""


class ActivityPage(Schema):
    results: list[ActivityOut]
    next: str | None = Field(description="address of the next page")


@router.get("/notes/", response={200: NotePage, **READS}, url_name="notes", operation_id="list_notes")
@needs("read")
def list_notes(request: HttpRequest, filters: Query[NoteFilter]) -> Any:
    """Notes on accounts, a page at a time."""
    return listed_page(request, notes().filter(**filters.lookups()), filters)


@router.get("/notes/{uuid:public_id}/", response={200: NoteOut, **READS_ONE}, operation_id="get_note")
@needs("read")
def get_note(request: HttpRequest, public_id: UUID) -> Any:
    """One note by its public id."""
    return get_object_or_404(notes(), public_id=public_id)


@router.post("/notes/", response={201: NoteOut, **WRITES}, operation_id="create_note")
@writes(NoteOut)
def create_note(request: HttpRequest, body: NoteIn) -> Status[Any]:
    """Write a note on an account."""
    note = add_note(
        account=_account(body.account),
        body=body.body,
        is_pinned=body.is_pinned,
        acting_user=None,
        now=timezone.now(),
    )
    return Status(201, note)


@router.get(
    "/activities/",
    response={200: ActivityPage, **READS},
    url_name="activities",
    operation_id="list_activities",
)
@needs("read")
def list_activities(request: HttpRequest, filters: Query[ActivityFilter]) -> Any:
    """Lines of the timelines, a page at a time; `is_touch=true` for contact between team and customer."""
    return listed_page(request, activities().filter(**filters.lookups()), filters)


@router.get(
    "/activities/{uuid:public_id}/", response={200: ActivityOut, **READS_ONE}, operation_id="get_activity"
)
@needs("read")
def get_activity(request: HttpRequest, public_id: UUID) -> Any:
    """One line of a timeline by its public id."""
    return get_object_or_404(activities(), public_id=public_id)


@router.post("/activities/", response={201: ActivityOut, **WRITES}, operation_id="log_touch")
@writes(ActivityOut)
def create_touch(request: HttpRequest, body: TouchIn) -> Status[Any]:
    """Write down a call, meeting, mail or visit."""
    account = _account(body.account)
    now = timezone.now()
    if body.occurred_at > now:
        raise invalid("occurred_at", "in_the_future", "write down what took place, not what is planned")
    touch = log_touch(
        account=account,
        kind=body.kind,
        occurred_at=body.occurred_at,
        contact=_contact(account, body.contact),
        body=body.body,
        acting_user=None,
    )
    return Status(201, touch)


def _account(external_id: str) -> Account:
    found: Account | None = Account.objects.filter(external_id=external_id).first()
    if found is None:
        raise invalid("account", "unknown_account", "there is no account with this external_id")
    return found


def _contact(account: Account, external_id: str | None) -> Contact | None:
    if external_id is None:
        return None
    found: Contact | None = Contact.objects.filter(account=account, external_id=external_id).first()
    if found is None:
        raise invalid("contact", "unknown_contact", "the account has no contact with this external_id")
    return found
