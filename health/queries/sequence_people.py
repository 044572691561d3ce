"""Whom a sequence writes to: people of an account by their role."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from accounts.models import Contact, ContactRole
from health.sequences.spec import Choices

ANYONE = "anyone"
ROLES: Choices = [
    (ContactRole.CHAMPION, _("the champion")),
    (ContactRole.ADMIN, _("an admin")),
    (ContactRole.BILLING, _("the billing contact")),
    (ContactRole.EXECUTIVE, _("the executive sponsor")),
    (ContactRole.USER, _("a user")),
    (ANYONE, _("whoever is known best")),
]
# Who stands in where nobody has the role.
_ORDER = (
    ContactRole.CHAMPION,
    ContactRole.ADMIN,
    ContactRole.EXECUTIVE,
    ContactRole.BILLING,
    ContactRole.USER,
)


def people_of(account_ids: Iterable[int]) -> dict[int, tuple[Contact, ...]]:
    """Reachable people by account, best known first; accounts without any are absent. One query."""
    rows = Contact.objects.filter(account_id__in=list(account_ids), left_at__isnull=True).exclude(email="")
    found: dict[int, list[Contact]] = {}
    for contact in rows.select_related("account__csm__user").order_by("pk"):
        found.setdefault(contact.account_id, []).append(contact)
    return {pk: tuple(sorted(people, key=_rank)) for pk, people in found.items()}


def pick(people: Iterable[Contact], role: str, *, anyone_else: bool) -> Contact | None:
    """The person with the role; with `anyone_else` the best known one where nobody has it."""
    ordered = list(people)
    if role != ANYONE:
        for contact in ordered:
            if contact.role == role or (role == ContactRole.CHAMPION and contact.is_champion):
                return contact
    return ordered[0] if ordered and (anyone_else or role == ANYONE) else None


def _rank(contact: Contact) -> tuple[bool, int, int]:
    roles = [str(role) for role in _ORDER]
    return (not contact.is_champion, roles.index(contact.role) if contact.role in roles else 9, contact.pk)
