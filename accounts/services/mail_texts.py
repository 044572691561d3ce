"""Mails made of texts: queue them, take them back, and note on the timeline that they went out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.models import Activity, Contact, MailText, MailTextVersion, OutboundEmail, User
from accounts.services.audit import audit
from accounts.services.mail import queue_mail
from accounts.services.versions import newest_published

MAIL_KIND, PERSONAL_KIND, TRIAL_KIND = "accounts.text", "accounts.personal", "accounts.text_trial"
SOURCE = "accounts.mail"
TIME_TO_UNDO = timedelta(seconds=30)


class NotPublished(RuntimeError):
    """The text has no version in force yet, or is archived."""


class NoAddress(RuntimeError):
    """The person has no mail address."""


class TooLate(RuntimeError):
    """The mail has left, or is about to."""


def queue_text_mail(
    *,
    text: MailText,
    contact: Contact,
    acting_user: User | None,
    now: datetime,
    context_extra: Mapping[str, Any] | None = None,
    kind: str = MAIL_KIND,
    source_type: str = "",
    source_id: int | None = None,
    version: MailTextVersion | None = None,
    **options: Any,
) -> OutboundEmail:
    """Write a mail of the text's version in force, in the person's language, and its job.

    `version`: the one that a running thing began with. `context_extra`: values by placeholder, as JSON.
    `options`: motion, clock, delay of `queue_mail`. Raises NotPublished, NoAddress.
    """
    version = version or newest_published(MailTextVersion, text)
    if version is None or version.published_at is None:
        raise NotPublished(text.key)
    if not contact.email:
        raise NoAddress
    options.setdefault("mail_class", text.mail_class)
    options.setdefault("category", text.category)
    return queue_mail(
        kind,
        to_address=contact.email,
        context={"extra": dict(context_extra or {})},
        language=language_for(version.definition, contact),
        contact=contact,
        user=acting_user,
        text_version=version,
        source_type=source_type,
        source_id=source_id,
        **options,
    )


def language_for(definition: Mapping[str, Any], contact: Contact) -> str:
    """The person's language where the text has it, else the workspace's, else the first written."""
    for language in (contact.language, contact.workspace.language):
        if language in definition:
            return language
    return next(iter(definition), contact.language)


def on_settled(email: OutboundEmail) -> None:
    """A mail that went out is a line of the timeline; one that a CSM wrote is a touch."""
    if email.status != OutboundEmail.Status.SENT or email.contact is None:
        return
    is_personal = email.kind == PERSONAL_KIND
    Activity.objects.get_or_create(
        source=SOURCE,
        source_id=email.pk,
        kind="email",
        defaults={
            "account_id": email.contact.account_id,
            "contact": email.contact,
            "author": email.user,
            "is_touch": is_personal,
            "occurred_at": email.sent_at,
        },
    )


@transaction.atomic
def take_back(*, email: OutboundEmail, acting_user: User) -> None:
    """Stop a mail that has not begun to leave. Raises TooLate. Its job finds nothing to send."""
    found = OutboundEmail.objects.select_for_update().get(pk=email.pk)
    if found.status != OutboundEmail.Status.QUEUED or found.begun_at is not None:
        raise TooLate
    found.status = OutboundEmail.Status.CANCELED
    found.save(update_fields=["status"])
    audit("accounts.mail.taken_back", acting_user=acting_user, target=found)
