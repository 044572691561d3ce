"""Verbs of mail texts: make, draft, publish, roll back, archive, try on oneself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils.text import slugify

from accounts.mail_texts.about import About
from accounts.mail_texts.checks import Definition, FieldMistake, mistakes_in
from accounts.mail_texts.placeholders import names_in, values_of
from accounts.models import MailText, MailTextVersion, OutboundEmail, User
from accounts.services import versions
from accounts.services.audit import audit
from accounts.services.mail import queue_mail
from accounts.services.mail_texts import TRIAL_KIND


class TextRefused(ValueError):
    """The text has mistakes; `mistakes` names them all."""

    def __init__(self, mistakes: list[FieldMistake]) -> None:
        super().__init__("; ".join(m.words for m in mistakes))
        self.mistakes = mistakes


@transaction.atomic
def create_text(
    *, name: str, purpose: str, mail_class: str, category: str = "", acting_user: User | None
) -> MailText:
    """A text without words; its key comes from its name."""
    text: MailText = MailText.objects.create(
        key=_free_key(name),
        name=name,
        purpose=purpose,
        mail_class=mail_class,
        category=category,
        created_by=acting_user,
    )
    audit("accounts.mail_text.created", acting_user=acting_user, target=text)
    return text


def _free_key(name: str) -> str:
    wanted = slugify(name)[:70] or "text"
    taken = set(MailText.objects.filter(key__startswith=wanted).values_list("key", flat=True))
    number = 1
    while (key := wanted if number == 1 else f"{wanted}-{number}") in taken:
        number += 1
    return key


@transaction.atomic
def change_text(*, text: MailText, acting_user: User, **values: str) -> None:
    """Name, purpose, class or category; mails that are queued keep theirs."""
    for name, value in values.items():
        setattr(text, name, value)
    text.save(update_fields=list(values))
    audit("accounts.mail_text.changed", acting_user=acting_user, target=text, fields=sorted(values))


def save_draft(*, text: MailText, definition: Definition, acting_user: User) -> MailTextVersion:
    return versions.save_draft(MailTextVersion, parent=text, definition=definition, acting_user=acting_user)


@transaction.atomic
def publish(
    *, text: MailText, definition: Definition, note: str = "", acting_user: User | None, now: datetime
) -> MailTextVersion:
    """Put the words in force for mails queued from now on. Raises TextRefused."""
    mistakes = mistakes_in(definition, purpose=text.purpose)
    if mistakes:
        raise TextRefused(mistakes)
    return versions.publish(
        MailTextVersion, parent=text, definition=definition, note=note, acting_user=acting_user, now=now
    )


@transaction.atomic
def set_archived(*, text: MailText, is_archived: bool, acting_user: User, now: datetime) -> None:
    """An archived text is no longer offered; what already uses it goes on."""
    text.archived_at = now if is_archived else None
    text.save(update_fields=["archived_at"])
    action = "archived" if is_archived else "restored"
    audit(f"accounts.mail_text.{action}", acting_user=acting_user, target=text)


def send_trial(*, words: Mapping[str, str], about: About, acting_user: User) -> OutboundEmail:
    """The words as this person would get them, to oneself."""
    values = values_of(names_in(*words.values()), about)
    written = {"subject": f"[Test] {words.get('subject', '')}", "body": words.get("body", "")}
    return queue_mail(
        TRIAL_KIND,
        to_address=acting_user.email,
        context={"written": written, "values": values},
        language=about.language,
        user=acting_user,
    )
