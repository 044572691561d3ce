"""This app's tables and what they may know of a person."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from accounts.privacy import Person, table


def _contact(person: Person) -> Q:
    return Q(contact_id=person.contact_id)


def _untouched(person: Person) -> dict[str, Any]:
    return {}


def register() -> None:
    table("dunning.dunningpolicy")
    table("dunning.dunningpolicyversion", business="definition note")
    table(
        "dunning.dunningcase",
        code="phase closing_reason decline_code decline_class currency",
        of=_contact,
        erase=_untouched,
    )
    table("dunning.dunningstep", code="kind reason", free_text="detail")
    table(
        "dunning.billquestion",
        person="text",
        of=_contact,
        erase=lambda p: {"text": ""},
    )
    table(
        "dunning.advancenotice",
        code="subject not_sent_because",
        of=_contact,
        erase=_untouched,
    )
