"""Mails to the people of an account: on the timeline, and each by itself."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext

from accounts.mail_texts.placeholders import fill_line
from accounts.models import Account, OutboundEmail
from accounts.queries.mail_reasons import reason_words
from accounts.registry import TimelineEntry

PERSONAL_KIND = "accounts.personal"
Status = OutboundEmail.Status


def text_mails() -> QuerySet[OutboundEmail]:
    """Mails to people that were made of a text or of a CSM's words."""
    is_text = Q(text_version__isnull=False) | Q(kind=PERSONAL_KIND)
    rows = OutboundEmail.objects.filter(is_text, contact__isnull=False)
    return rows.select_related("contact__account", "user", "text_version__text")


def mail_entries(account: Account, limit: int) -> list[TimelineEntry]:
    """What was written to the account's people, with what became of it."""
    rows = text_mails().filter(contact__account=account).exclude(status=Status.CANCELED)
    return [_entry(row) for row in rows.order_by("-pk")[:limit]]


def _entry(email: OutboundEmail) -> TimelineEntry:
    is_personal = email.kind == PERSONAL_KIND
    state = state_words(email)
    return TimelineEntry(
        when=email.sent_at or email.created_at,
        title=gettext("Mail to %(name)s: %(subject)s")
        % {"name": email.contact, "subject": subject_of(email)},
        text=state,
        who=str(email.user) if email.user and is_personal else "",
        icon="mail",
        tone="red" if email.status == Status.FAILED else "amber" if state else "",
        is_touch=is_personal and email.status == Status.SENT,
        url=reverse("accounts:mail_shown", args=[email.public_id]),
    )


def subject_of(email: OutboundEmail) -> str:
    """With its values once it was rendered; before that, and after its words were removed, the text's name."""
    values = email.context.get("values")
    written = email.context.get("written")
    if written:
        return fill_line(written.get("subject", ""), values or {})
    if email.text_version is None:
        return gettext("words removed")
    words = email.text_version.definition.get(email.language, {})
    return fill_line(words["subject"], values) if values and words else email.text_version.text.name


def state_words(email: OutboundEmail) -> str:
    """What became of the mail, in a sentence; nothing where it simply went out."""
    reason = reason_words(email.held_reason) if email.held_reason else ""
    match email.status:
        case Status.SENT:
            return ""
        case Status.QUEUED if reason:
            return gettext("Waits: %(reason)s") % {"reason": reason}
        case Status.QUEUED | Status.SENDING:
            return gettext("On its way.")
        case Status.SUPPRESSED:
            return gettext("Not sent: %(reason)s") % {"reason": reason or reason_words(email.last_error)}
        case Status.FAILED:
            return gettext("Could not be delivered: %(reason)s") % {"reason": reason_words(email.last_error)}
        case Status.DOUBTFUL:
            return gettext("It is not known whether it arrived.")
    return gettext("Taken back before it left.")
