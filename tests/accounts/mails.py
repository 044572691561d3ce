"""Mail kinds and mails for tests."""

from __future__ import annotations

import re
from typing import Any

from accounts.models import Contact, OutboundEmail
from accounts.registry import MailKind, mail_kinds
from accounts.services.mail import queue_mail
from accounts.services.suppressions import address_hash

KIND = "test.letter"


def register_kind(monkeypatch: Any, settings: Any, folder: Any, name: str = KIND, **options: Any) -> MailKind:
    """A kind with templates of its own, gone after the test."""
    (folder / "letter-subject.txt").write_text("Letter to {{ name }}")
    for ending in ("txt", "html"):
        (folder / f"letter-body.{ending}").write_text("Dear {{ name }}, {{ unsubscribe_url }}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [folder, *settings.TEMPLATES[0]["DIRS"]]}]
    made = MailKind(name, options.pop("mail_class", "other"), "letter-subject.txt", "letter-body", **options)
    monkeypatch.setitem(mail_kinds._items, name, made)
    return made


def queue_letter(contact: Contact, **fields: Any) -> OutboundEmail:
    return queue_mail(
        KIND,
        to_address=contact.email,
        context={"name": contact.name},
        language="en",
        contact=contact,
        **fields,
    )


def sent_mail(contact: Contact, **fields: Any) -> OutboundEmail:
    """A mail as it stands after the hand-over."""
    from django.utils import timezone

    values = {
        "kind": KIND,
        "contact": contact,
        "to_address": contact.email,
        "address_hash": address_hash(contact.email),
        "mail_class": "other",
        "motion": "newsletter",
        "category": "offers",
        "status": "sent",
        "sent_at": timezone.now(),
        "begun_at": timezone.now(),
        **fields,
    }
    return OutboundEmail.objects.create(**values)


def path_of(url: str) -> str:
    return re.sub(r"^https?://[^/]+", "", url)
