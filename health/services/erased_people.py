"""What comes in about a person who was erased: counted for the tombstone, never kept."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.services.erased import tombstones
from health.intake.rows import StoredRow
from health.intake.traits import contact_fields
from health.services.identities import Identities


def under_tombstones(rows: Sequence[StoredRow]) -> Sequence[StoredRow]:
    """Events of erased people lose their key and their properties; all others are as they were."""
    erased = tombstones({row.user_key for row in rows})
    if not erased:
        return rows
    return [
        row._replace(user_key=erased[row.user_key], properties=None) if row.user_key in erased else row
        for row in rows
    ]


def without_erased(facts: Identities) -> Identities:
    """Who somebody is, is not learnt again of those who were erased, neither by key nor by mail address."""
    if not (facts.contacts or facts.aliases):
        return facts
    emails = {fact.user_id: str(contact_fields(fact.traits).get("email", "")) for fact in facts.contacts}
    keys = {key for fact in facts.aliases for key in (fact.user_id, fact.previous_key)}
    erased = tombstones({*emails, *emails.values(), *keys})
    if not erased:
        return facts
    return Identities(
        [f for f in facts.contacts if f.user_id not in erased and emails[f.user_id] not in erased],
        facts.accounts,
        [f for f in facts.aliases if f.user_id not in erased and f.previous_key not in erased],
    )
