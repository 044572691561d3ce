"""The page of one person: mails, decisions, holds, what is suppressed and chosen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts.models import (
    Contact,
    ContactHold,
    ContactRole,
    EmailSuppression,
    MailCategory,
    MailDecision,
    MailEvent,
    OutboundEmail,
)
from accounts.queries.mail_choices import Choices, choices_of, spellings
from accounts.queries.mail_reasons import reason_words

MAILS_SHOWN = 25
DECISIONS_SHOWN = 25
Status = OutboundEmail.Status

_TONES: dict[str, str] = {
    MailEvent.Kind.HARD_BOUNCE: "red",
    MailEvent.Kind.COMPLAINT: "red",
    MailEvent.Kind.SOFT_BOUNCE: "amber",
    MailEvent.Kind.BLOCKED: "amber",
}


@dataclass(frozen=True, slots=True)
class MailRow:
    """A mail and where it stands. `tone` marks what needs eyes; `when` is the latest that happened to it."""

    email: OutboundEmail
    state: str
    tone: str
    why: str
    when: datetime


@dataclass(frozen=True, slots=True)
class DecisionRow:
    decision: MailDecision
    words: str
    tone: str


@dataclass(frozen=True)
class ContactPage:
    contact: Contact
    role: str
    mails: list[MailRow]
    decisions: list[DecisionRow]
    holds: list[ContactHold]
    suppressions: list[EmailSuppression]
    choices: Choices
    categories: list[tuple[str, bool]]
    twins: list[Contact]


def contact_page(contact: Contact, *, address_hash: bytes, now: datetime) -> ContactPage:
    """`address_hash` is that of the person's address; a constant number of queries."""
    choices = (
        choices_of(address_hash, now) if contact.email else Choices(list(MailCategory.values), None, False)
    )
    return ContactPage(
        contact=contact,
        role=str(ContactRole(contact.role).label) if contact.role in ContactRole.values else contact.role,
        mails=_mails(contact),
        decisions=_decisions(contact),
        holds=list(
            ContactHold.objects.filter(
                Q(until__isnull=True) | Q(until__gt=now), contact=contact, released_at__isnull=True
            ).order_by("placed_at")
        ),
        suppressions=_suppressions(contact, address_hash, now),
        choices=choices,
        categories=[(str(label), value in choices.wanted) for value, label in MailCategory.choices],
        twins=_twins(contact),
    )


def _twins(contact: Contact) -> list[Contact]:
    """The same address at other accounts: one budget for all of them."""
    if not contact.email:
        return []
    others = Contact.objects.filter(email__in=spellings(contact.email)).exclude(pk=contact.pk)
    return list(others.select_related("account").order_by("account__name")[:10])


def _suppressions(contact: Contact, address_hash: bytes, now: datetime) -> list[EmailSuppression]:
    if not contact.email:
        return []
    rows = EmailSuppression.objects.filter(
        Q(until__isnull=True) | Q(until__gt=now), address_hash=address_hash
    )
    return list(rows.order_by("created_at"))


def _mails(contact: Contact) -> list[MailRow]:
    mails = list(
        OutboundEmail.objects.filter(contact=contact)
        .select_related("text_version__text", "user")
        .order_by("-pk")[:MAILS_SHOWN]
    )
    events: dict[int, MailEvent] = {}
    for event in MailEvent.objects.filter(email__in=[mail.pk for mail in mails]).order_by("occurred_at"):
        events[event.email_id] = event
    return [mail_row(mail, events.get(mail.pk)) for mail in mails]


def mail_row(email: OutboundEmail, event: MailEvent | None) -> MailRow:
    """What the mail system reported says more than that it was handed over."""
    if event is not None:
        return MailRow(email, event.get_kind_display(), _TONES.get(event.kind, ""), "", event.occurred_at)
    tones: dict[str, str] = {Status.DOUBTFUL: "amber", Status.FAILED: "red"}
    tone = tones.get(email.status, "")
    why = reason_words(email.held_reason or email.last_error) if email.status != Status.SENT else ""
    state = str(email.get_status_display())
    return MailRow(
        email,
        state,
        tone,
        why if (email.held_reason or email.last_error) else "",
        email.sent_at or email.created_at,
    )


def _decisions(contact: Contact) -> list[DecisionRow]:
    rows = MailDecision.objects.filter(contact=contact).order_by("-decided_at", "-pk")[:DECISIONS_SHOWN]
    tones = {MailDecision.Verdict.REFUSED: "amber"}
    return [
        DecisionRow(row, reason_words(row.reason, row.detail.get("what", "")), tones.get(row.verdict, ""))
        for row in rows
    ]
