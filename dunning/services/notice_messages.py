"""What other systems hear of a notice, so that one may write a short message or ring."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from accounts.models import Contact
from accounts.services.webhooks import emit, is_anybody_listening
from dunning.models import DunningCase
from dunning.queries import owed
from dunning.services.pay_links import MESSAGE_DAYS, address_of, short_token

EVENT = "dunning.notice_due"
FIELDS = {
    "account": "public id of the account",
    "external_id": "the account's id in your own records",
    "case": "public id of the failed payment's case",
    "contact": "public id of the person who is told; null where nobody is known",
    "contact_external_id": "the person's id in your own records",
    "language": "the person's language",
    "position": "first, middle or last",
    "amounts": "what is owed: amount_minor and currency, one per currency, that of the oldest invoice first",
    "invoices": "numbers of the invoices",
    "ends_at": "when the end state of the policy comes",
    "pay_url": "address of the person's card page; works for 14 days",
}


def tell_other_systems(
    cases: Sequence[DunningCase], *, contact: Contact | None, position: str, cause_key: str, now: datetime
) -> int:
    """Write the message for every endpoint that wants it; returns how many. In the caller's transaction."""
    if not is_anybody_listening(EVENT):
        return 0
    lead = cases[0]
    token = short_token(account=lead.account, contact=contact, lifetime=MESSAGE_DAYS, now=now)
    payload = {
        "account": str(lead.account.public_id),
        "external_id": lead.account.external_id,
        "case": str(lead.public_id),
        "contact": str(contact.public_id) if contact else None,
        "contact_external_id": contact.external_id if contact else None,
        "language": contact.language if contact else None,
        "position": position,
        "amounts": [
            {"amount_minor": amount, "currency": currency}
            for amount, currency in owed.totals(case.invoice for case in cases)
        ],
        "invoices": [owed.number_of(case.invoice) for case in cases],
        "ends_at": lead.ends_at.isoformat(),
        "pay_url": address_of(token),
    }
    return emit(EVENT, payload, cause_key=cause_key, now=now)
