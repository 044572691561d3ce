"""The contact arbiter: may this person be mailed now, and if not, why not and when?

One budget per person (mail address) across all motions of a workspace:

- transactional: only an address that does not exist stops it;
- transactional survey: 14 days after the last one;
- relationship survey: 90 days after the same one, 30 after any; 24 hours after any optional mail;
- everything else: not within 24 hours of another, not at night, on weekends or holidays of the
  person's zone, never after unsubscribing.
A motion's hold keeps the motions below it away. Every decision is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Q

from accounts.models import (
    Contact,
    ContactHold,
    MailCategory,
    MailClass,
    MailDecision,
    Motion,
    OutboundEmail,
)
from accounts.queries.holidays import calendar
from accounts.queries.mail_choices import spellings
from accounts.registry import mail_kinds
from accounts.services.quiet_hours import closed_because, next_opening, zone_of
from accounts.services.suppressions import address_hash, in_force, lock_person

FLOOR = timedelta(hours=24)
EVENT_SURVEY_CLOCK = timedelta(days=14)
SAME_SURVEY_CLOCK = timedelta(days=90)
ANY_SURVEY_CLOCK = timedelta(days=30)
ASK_AGAIN = timedelta(days=1)

_LOUD = (MailClass.OTHER, MailClass.RELATIONSHIP_SURVEY)
_OPTIONAL = (MailClass.OTHER, MailClass.RELATIONSHIP_SURVEY, MailClass.TRANSACTIONAL_SURVEY)
_GONE_OUT = (OutboundEmail.Status.SENDING, OutboundEmail.Status.SENT, OutboundEmail.Status.DOUBTFUL)


@dataclass(frozen=True)
class Decision:
    """`reason` is a code (words in `queries/mail_reasons.py`); `not_before` says when to ask again."""

    allowed: bool
    reason: str
    not_before: datetime | None = None
    detail: str = ""

    @property
    def verdict(self) -> str:
        if self.allowed:
            return MailDecision.Verdict.ALLOWED
        return MailDecision.Verdict.LATER if self.not_before else MailDecision.Verdict.REFUSED


@dataclass(frozen=True)
class Question:
    """Everything the answer depends on, beside the person's history."""

    contact: Contact
    mail_class: str
    motion: str
    category: str
    clock: str
    email: OutboundEmail | None
    address: str
    now: datetime


@transaction.atomic
def decide(
    *,
    contact: Contact,
    mail_class: str,
    kind: str,
    now: datetime,
    motion: str = "",
    category: str = "",
    clock: str = "",
    email: OutboundEmail | None = None,
) -> Decision:
    """Decide and store. Holds the person's lock until the caller's transaction ends, so that two mails
    at once cannot both pass: whoever sends marks its mail in the same transaction.

    `clock` names a survey ("survey:12"); `motion` and `category` default to those of the mail kind.
    """
    address = email.to_address if email else contact.email
    lock_person(address)
    decision = assess(
        contact=contact,
        mail_class=mail_class,
        kind=kind,
        now=now,
        motion=motion,
        category=category,
        clock=clock,
        email=email,
    )
    MailDecision.objects.create(
        contact=contact,
        email=email,
        kind=kind,
        mail_class=mail_class,
        motion=motion or _default(kind, "motion", Motion.PLAYBOOK),
        verdict=decision.verdict,
        reason=decision.reason,
        detail={"what": decision.detail} if decision.detail else {},
        not_before=decision.not_before,
        decided_at=now,
    )
    return decision


def assess(
    *,
    contact: Contact,
    mail_class: str,
    kind: str,
    now: datetime,
    motion: str = "",
    category: str = "",
    clock: str = "",
    email: OutboundEmail | None = None,
) -> Decision:
    """The same answer for a preview: nothing is locked or stored."""
    if mail_class not in MailClass.values:
        raise ValueError(f"unknown mail class {mail_class!r}")
    question = Question(
        contact=contact,
        mail_class=mail_class,
        motion=motion or _default(kind, "motion", Motion.PLAYBOOK),
        category=category or _default(kind, "category", MailCategory.TIPS),
        clock=clock or kind,
        email=email,
        address=email.to_address if email else contact.email,
        now=now,
    )
    for rule in (_address, _suppressed, _held, _clocks, _floor, _quiet):
        refusal = rule(question)
        if refusal is not None:
            return refusal
    return Decision(True, "transactional" if mail_class == MailClass.TRANSACTIONAL else "free")


def _default(kind: str, name: str, otherwise: str) -> str:
    return str(getattr(mail_kinds.get(kind), name)) if kind in mail_kinds else otherwise


def _address(q: Question) -> Decision | None:
    if not q.address:
        return Decision(False, "no_address")
    if q.contact.left_at is not None and q.contact.left_at <= q.now and q.mail_class in _OPTIONAL:
        return Decision(False, "left")
    return None


def _suppressed(q: Question) -> Decision | None:
    """The reason that lasts longest is the one to name."""
    found = list(in_force(q.address, now=q.now).order_by(F("until").desc(nulls_first=True), "pk"))
    for row in found:
        if row.is_total:
            return Decision(False, row.reason)
        if q.mail_class == MailClass.TRANSACTIONAL or row.category not in ("", q.category):
            continue
        reason = "unsubscribed_category" if row.category else row.reason
        return Decision(False, reason, row.until, row.category)
    return None


def _held(q: Question) -> Decision | None:
    if q.mail_class == MailClass.TRANSACTIONAL:
        return None
    rank = Motion(q.motion).rank
    hold = strongest_hold(q.address, now=q.now)
    if hold is not None and Motion(hold.motion).rank < rank:
        return Decision(False, "held", hold.until or q.now + ASK_AGAIN, hold.motion)
    more_important = list(Motion.values)[:rank]
    waiting = OutboundEmail.objects.filter(
        Q(not_before__isnull=True) | Q(not_before__lte=q.now),
        address_hash=address_hash(q.address),
        status=OutboundEmail.Status.QUEUED,
        mail_class__in=_LOUD,
        motion__in=more_important,
    )
    if q.mail_class in _LOUD and waiting.exists():
        return Decision(False, "more_important", q.now + FLOOR)
    return None


def _clocks(q: Question) -> Decision | None:
    """Surveys: 14 days between those after an event; 90 for the same relationship survey, 30 for any."""
    if q.mail_class == MailClass.TRANSACTIONAL_SURVEY:
        return _since(q, EVENT_SURVEY_CLOCK, "event_survey", mail_class=q.mail_class)
    if q.mail_class == MailClass.RELATIONSHIP_SURVEY:
        return _since(q, SAME_SURVEY_CLOCK, "same_survey", clock=q.clock) or _since(
            q, ANY_SURVEY_CLOCK, "any_survey", mail_class=q.mail_class
        )
    return None


def _floor(q: Question) -> Decision | None:
    return _since(q, FLOOR, "floor", mail_class__in=_OPTIONAL) if q.mail_class in _LOUD else None


def _since(q: Question, gap: timedelta, reason: str, **which: Any) -> Decision | None:
    """Later, when a mail of this sort began less than `gap` ago; a mail never waits for itself."""
    mails = OutboundEmail.objects.filter(
        address_hash=address_hash(q.address), status__in=_GONE_OUT, begun_at__gt=q.now - gap, **which
    )
    if q.email is not None:
        mails = mails.exclude(pk=q.email.pk)
    last = mails.aggregate(last=Max("begun_at"))["last"]
    return Decision(False, reason, last + gap) if last else None


def _quiet(q: Question) -> Decision | None:
    if q.mail_class not in _LOUD:
        return None
    zone = zone_of(q.contact)
    days = calendar(q.now.astimezone(zone).date())
    reason = closed_because(q.now, zone, calendar=days)
    return Decision(False, reason, next_opening(q.now, zone, calendar=days)) if reason else None


def strongest_hold(address: str, *, now: datetime) -> ContactHold | None:
    """The running hold of the most important motion on any contact with this address."""
    holds = ContactHold.objects.filter(
        Q(until__isnull=True) | Q(until__gt=now),
        contact__email__in=spellings(address),
        released_at__isnull=True,
    )
    return min(holds, key=lambda hold: Motion(hold.motion).rank, default=None)


@transaction.atomic
def place_hold(*, contact: Contact, motion: str, until: datetime | None, now: datetime) -> ContactHold | None:
    """Claim a person for a motion, until a time or until it is released (None).

    Answers None when a more important motion holds them: then stay away. A less important one is
    outranked, not ended. Placing it again moves `until`.
    """
    rank = Motion(motion).rank
    lock_person(contact.email)
    strongest = strongest_hold(contact.email, now=now)
    if strongest is not None and Motion(strongest.motion).rank < rank:
        return None
    hold: ContactHold
    hold, _ = ContactHold.objects.update_or_create(
        contact=contact,
        motion=motion,
        released_at__isnull=True,
        defaults={"until": until},
        create_defaults={"until": until, "placed_at": now},
    )
    return hold


def release_hold(*, contact: Contact, motion: str, now: datetime) -> bool:
    """End the motion's claim; False when there was none."""
    running = ContactHold.objects.filter(contact=contact, motion=motion, released_at__isnull=True)
    return bool(running.update(released_at=now))
