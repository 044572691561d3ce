"""Who a contact is to the workspace: every key and address under which rows may be found."""

from __future__ import annotations

import secrets

from accounts.models import Contact, OutboundEmail
from accounts.privacy import Person, person_keys


def person_of(contact: Contact) -> Person:
    """All keys and addresses of the contact, with a fresh tombstone."""
    keys = {contact.external_id}
    for source in person_keys:
        keys |= source.find(contact)
    sent_to = OutboundEmail.objects.filter(contact=contact).exclude(to_address="")
    emails = {contact.email, *sent_to.values_list("to_address", flat=True)} - {""}
    emails |= {key for key in keys if "@" in key}
    return Person(
        contact_id=contact.pk,
        account_id=contact.account_id,
        name=contact.name,
        keys=frozenset(keys),
        emails=frozenset({address for email in emails for address in (email, email.lower())}),
        tombstone=f"erased-{secrets.token_hex(12)}",
    )
