"""A CSM writes to a person: one's own words, or a text filled in; thirty seconds to think again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import translation

from accounts.mail_texts.about import About
from accounts.mail_texts.placeholders import names_in, values_of
from accounts.mail_texts.prefill import prefilled
from accounts.models import Contact, MailClass, MailText, MailTextVersion, OutboundEmail, User
from accounts.services.audit import audit
from accounts.services.mail import queue_mail
from accounts.services.mail_texts import (
    PERSONAL_KIND,
    TIME_TO_UNDO,
    NoAddress,
    language_for,
    queue_text_mail,
)
from accounts.services.versions import newest_published


def filled(*, text: MailText, contact: Contact, acting_user: User, now: datetime) -> dict[str, str]:
    """Subject and body as they stand in the form; empty while the text is not published."""
    version = newest_published(MailTextVersion, text)
    if version is None:
        return {"subject": "", "body": ""}
    language = language_for(version.definition, contact)
    words = version.definition[language]
    about = About(contact, contact.workspace, language, now, sender=acting_user)
    with translation.override(language):
        return prefilled(words, values_of(names_in(*words.values()), about))


@transaction.atomic
def send_personal_mail(
    *,
    contact: Contact,
    subject: str,
    body: str,
    text: MailText | None,
    acting_user: User,
    now: datetime,
) -> OutboundEmail:
    """Queue it in the CSM's name; answers go to the CSM. It stays here for 30 seconds. Raises NoAddress.

    A text that was left as it is goes as its version; changed words are kept with the mail instead.
    """
    if not contact.email:
        raise NoAddress
    sender: dict[str, Any] = {
        "from_name": f"{acting_user} ({contact.workspace.name})",
        "reply_to": acting_user.email,
        "delay": TIME_TO_UNDO,
        "not_before": now + TIME_TO_UNDO,
    }
    mail_class = text.mail_class if text else MailClass.OTHER
    unchanged = text is not None and filled(text=text, contact=contact, acting_user=acting_user, now=now) == {
        "subject": subject,
        "body": body,
    }
    if text is not None and unchanged:
        email = queue_text_mail(
            text=text, contact=contact, acting_user=acting_user, now=now, kind=PERSONAL_KIND, **sender
        )
    else:
        email = queue_mail(
            PERSONAL_KIND,
            to_address=contact.email,
            context={"written": {"subject": subject, "body": body}},
            language=contact.language,
            contact=contact,
            user=acting_user,
            mail_class=mail_class,
            category=text.category if text else "",
            **sender,
        )
    audit("accounts.mail.written", acting_user=acting_user, target=email)
    return email
