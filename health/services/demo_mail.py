"""Mails of the demo's last two months: what went, what came back, who does not want any, and why not."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from accounts.mail_texts.placeholders import names_in, values_of
from accounts.models import (
    Contact,
    EmailSuppression,
    MailCategory,
    MailClass,
    MailDecision,
    MailEvent,
    MailProvider,
    MailTextVersion,
    Motion,
    OutboundEmail,
    TextPurpose,
)
from accounts.registry import placeholders
from accounts.services.arbiter import place_hold
from accounts.services.mail_rendering import about_of, words_of
from accounts.services.suppressions import address_hash, pause, suppress, unsubscribe

PEOPLE = 140
KIND = "accounts.text"
# What people write; notices of payments come from their own cases.
WRITTEN = (TextPurpose.PERSONAL, TextPurpose.PLAYBOOK, TextPurpose.ONBOARDING)
_ENDS = (
    (MailEvent.Kind.HARD_BOUNCE, 0.02, "unknown_user"),
    (MailEvent.Kind.SOFT_BOUNCE, 0.05, "mailbox_full"),
    (MailEvent.Kind.DELIVERED, 1.0, ""),
)
_REFUSALS = ("floor", "quiet_hours", "weekend", "floor", "more_important")


@dataclass
class _Story:
    dice: random.Random
    now: datetime
    versions: list[MailTextVersion]
    rows: int = 0


def write_demo_mail(*, now: datetime) -> int:
    """Once per workspace, inside its scope; returns the mails written."""
    versions = list(
        MailTextVersion.objects.filter(published_at__isnull=False, text__purpose__in=WRITTEN)
        .select_related("text")
        .order_by("pk")
    )
    if not versions or OutboundEmail.objects.filter(kind=KIND).exists():
        return 0
    story = _Story(random.Random(20_26), now, versions)
    people = list(
        Contact.objects.filter(left_at__isnull=True)
        .exclude(email="")
        .select_related("account", "workspace")
        .order_by("pk")[:PEOPLE]
    )
    for place, person in enumerate(people):
        for week in sorted(story.dice.sample(range(8), story.dice.randint(1, 3))):
            _mail(story, person, story.now - timedelta(days=7 * week + story.dice.randint(1, 5)))
        _circumstances(story, person, place)
    MailProvider.objects.create(
        name="smtp", secret=f"demo-{story.dice.getrandbits(64):x}", created_at=now, last_received_at=now
    )
    return story.rows


def working_moment(day: datetime, zone: ZoneInfo, dice: random.Random) -> datetime:
    """Some time between 9 and 17 of that local day, or of the Friday before a weekend."""
    local = day.astimezone(zone)
    local -= timedelta(days=max(local.weekday() - 4, 0))
    return local.replace(hour=dice.randint(9, 16), minute=dice.randint(0, 59)).astimezone(UTC)


def _mail(story: _Story, person: Contact, day: datetime) -> None:
    moment = working_moment(day, person.workspace.zone, story.dice)
    version = story.dice.choice(story.versions)
    state = "doubtful" if story.dice.random() < 0.01 else "sent"
    mail = OutboundEmail(
        kind=KIND,
        contact=person,
        to_address=person.email,
        address_hash=address_hash(person.email),
        language=person.language,
        text_version=version,
        mail_class=version.text.mail_class,
        motion=Motion.PLAYBOOK,
        category=version.text.category or MailCategory.TIPS,
        clock=KIND,
        status=state,
        attempts=1,
        begun_at=moment,
        sent_at=moment if state == "sent" else None,
        last_error="" if state == "sent" else "crashed",
    )
    _fill(mail)
    mail.save()
    OutboundEmail.objects.filter(pk=mail.pk).update(created_at=moment)
    story.rows += 1
    _decision(person, "allowed", "free", moment, email=mail, mail_class=mail.mail_class)
    if state == "sent":
        _report(story, person, mail, moment + timedelta(seconds=story.dice.randint(2, 90)))


def _fill(mail: OutboundEmail) -> None:
    names = {name for name in names_in(*words_of(mail).values()) if not placeholders.get(name).is_link}
    about = about_of(mail)
    mail.context = {"values": values_of(names, about)} if about else {}


def _report(story: _Story, person: Contact, mail: OutboundEmail, when: datetime) -> None:
    roll = story.dice.random()
    kind, _, code = next(end for end in _ENDS if roll < end[1])
    MailEvent.objects.create(
        event_id=f"demo:{mail.public_id}",
        email=mail,
        address_hash=address_hash(person.email),
        kind=kind,
        code=code,
        occurred_at=when,
        received_at=when,
    )
    if kind == MailEvent.Kind.HARD_BOUNCE:
        suppress(person.email, reason=EmailSuppression.Reason.HARD_BOUNCE, now=when)


def _circumstances(story: _Story, person: Contact, place: int) -> None:
    """Who is held, paused or has had enough; and the refusals that came of it."""
    yesterday = working_moment(story.now - timedelta(days=1), person.workspace.zone, story.dice)
    if place % 23 == 4:
        place_hold(contact=person, motion=Motion.DUNNING, until=story.now + timedelta(days=12), now=yesterday)
        _decision(
            person, "later", "held", yesterday, motion=Motion.SURVEY, what=Motion.DUNNING,
            mail_class=MailClass.RELATIONSHIP_SURVEY, not_before=story.now + timedelta(days=12),
        )  # fmt: skip
    elif place % 29 == 7:
        place_hold(
            contact=person, motion=Motion.ONBOARDING, until=story.now + timedelta(days=20), now=yesterday
        )
    elif place % 19 == 3:
        unsubscribe(person.email, categories=["offers"], now=yesterday)
        _decision(
            person, "refused", "unsubscribed_category", yesterday, motion=Motion.NEWSLETTER, what="offers"
        )
    elif place % 31 == 5:
        unsubscribe(person.email, categories=None, now=yesterday)
        _decision(person, "refused", "unsubscribed", yesterday, motion=Motion.SHIPPED_NOTE)
    elif place % 47 == 11:
        pause(person.email, until=story.now + timedelta(days=21), now=yesterday)
    elif place == 61:
        suppress(person.email, reason=EmailSuppression.Reason.COMPLAINT, now=yesterday)
    elif place % 6 == 0:
        reason = story.dice.choice(_REFUSALS)
        _decision(person, "later", reason, yesterday, not_before=yesterday + timedelta(hours=14))


def _decision(
    person: Contact, verdict: str, reason: str, at: datetime, *, mail_class: str = MailClass.OTHER,
    motion: str = Motion.PLAYBOOK, what: str = "", not_before: datetime | None = None,
    email: OutboundEmail | None = None,
) -> None:  # fmt: skip
    MailDecision.objects.create(
        contact=person, email=email, kind=KIND, mail_class=mail_class, motion=motion, verdict=verdict,
        reason=reason, detail={"what": what} if what else {}, not_before=not_before, decided_at=at,
    )  # fmt: skip
