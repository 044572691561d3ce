"""Make the message of a queued mail: from a text's version, from what a CSM wrote, or from a kind's templates.

Called once, when the mail leaves. The values of its placeholders are kept in its context, so that it can be
shown again word by word and a second attempt says the same; links are made anew and never kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import formataddr, parseaddr
from html import unescape
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation

from accounts.gateways.mail import Message
from accounts.mail_texts.about import About
from accounts.mail_texts.as_html import as_html
from accounts.mail_texts.as_text import as_text
from accounts.mail_texts.markup import read
from accounts.mail_texts.placeholders import SAMPLE_LINK, fill_line, names_in, values_of
from accounts.models import MailBranding, OutboundEmail, Workspace
from accounts.queries.branding import Look, branding_of_workspace, look_of
from accounts.registry import mail_kinds, placeholders

PREHEADER = 110


@dataclass(frozen=True)
class Rendered:
    """One mail in all its parts."""

    subject: str
    text: str
    html: str


def render(email: OutboundEmail, foot: Mapping[str, str] | None = None) -> Message:
    """The message to hand over. `foot`: `unsubscribe_url` and `preferences_url`, if the mail may be refused.

    Call inside the workspace's scope; writes the values it used onto the row.
    """
    with translation.override(email.language):
        rendered = _of_text(email, foot or {}) if is_text(email) else _of_templates(email, foot or {})
    sender = sender_of(email)
    return Message(
        to_address=email.to_address,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        message_id=email.message_id,
        from_address=sender.address,
        reply_to=sender.reply_to,
    )


def is_text(email: OutboundEmail) -> bool:
    return email.text_version_id is not None or "written" in email.context


def words_of(email: OutboundEmail) -> Mapping[str, str]:
    """Subject and body as they were written, placeholders inside; empty once they were removed."""
    if "written" in email.context:
        return dict(email.context["written"])
    if email.text_version is None:
        return {}
    definition: Mapping[str, Mapping[str, str]] = email.text_version.definition
    return definition.get(email.language) or next(iter(definition.values()), {})


def about_of(email: OutboundEmail) -> About | None:
    """Whom and what the mail is about; None when the person is gone."""
    if email.contact is None:
        return None
    return About(
        contact=email.contact,
        workspace=email.workspace,
        language=email.language,
        now=timezone.now(),
        sender=email.user,
        email=email,
        extra=email.context.get("extra", {}),
    )


def render_again(email: OutboundEmail) -> Rendered | None:
    """What was sent, or is going to be, for a look by the team; its links lead nowhere.

    None once its words were removed. Writes nothing.
    """
    words, about = words_of(email), about_of(email)
    if not words or not email.context:
        return None
    names = names_in(*words.values())
    with translation.override(email.language):
        nobodys = replace(about, email=None) if about else None
        fresh = values_of(names, nobodys) if nobodys else {}
        values = {**fresh, **email.context.get("values", {})}
        links = {n: SAMPLE_LINK for n in names if placeholders.get(n).is_link}
        return render_words(
            words, values={**values, **links}, workspace=email.workspace, language=email.language
        )


def _of_text(email: OutboundEmail, foot: Mapping[str, str]) -> Rendered:
    words = words_of(email)
    names = names_in(*words.values())
    links = {name for name in names if placeholders.get(name).is_link}
    about = about_of(email)
    kept = email.context.get("values")
    if kept is None:
        kept = values_of(names - links, about) if about else {}
        email.context = {**email.context, "values": kept}
        email.save(update_fields=["context"])
    fresh = values_of(links, about) if about else {}
    return render_words(
        words, values={**kept, **fresh}, workspace=email.workspace, language=email.language, foot=foot
    )


def render_words(
    words: Mapping[str, str],
    *,
    values: Mapping[str, str],
    workspace: Workspace,
    language: str,
    foot: Mapping[str, str] | None = None,
    look: Look | None = None,
) -> Rendered:
    """Subject and body in the mail layout. Call with the mail's language active."""
    look = look or look_of(workspace)
    body = read(words.get("body", ""))
    subject = fill_line(words.get("subject", ""), values)
    plain = as_text(body, values)
    context = {
        "subject": subject,
        "preheader": " ".join(plain.split())[:PREHEADER],
        "body_html": as_html(body, values, colour=look.colour, on_colour=look.on_colour, link=look.link),
        "body_text": plain,
        "look": look,
        "workspace": workspace,
        "language": language,
        **(foot or {}),
    }
    text = unescape(render_to_string("mail/text.txt", context)).strip() + "\n"
    return Rendered(subject, text, render_to_string("mail/text.html", context))


def _of_templates(email: OutboundEmail, foot: Mapping[str, str]) -> Rendered:
    """Subject from the first line of its file; bodies in the mail's language."""
    kind = mail_kinds.get(email.kind)
    context: dict[str, Any] = {
        **email.context,
        **foot,
        "workspace": email.workspace,
        "language": email.language,
        "look": look_of(email.workspace),
    }
    # Templates escape for HTML; a subject and a text body are none.
    subject = " ".join(unescape(render_to_string(kind.subject_template, context)).split())
    text = unescape(render_to_string(f"{kind.body_template}.txt", context)).strip() + "\n"
    html = render_to_string(f"{kind.body_template}.html", {**context, "subject": subject})
    return Rendered(subject, text, html)


@dataclass(frozen=True)
class Sender:
    """`address` as it stands in the From line; `reply_to` may be empty."""

    address: str
    reply_to: str


def sender_of(email: OutboundEmail) -> Sender:
    branding = branding_of_workspace()
    default_name, default_address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    is_confirmed = branding is not None and branding.from_confirmed_at is not None
    address = branding.from_address if branding and is_confirmed else default_address
    # Mails to one's own team come from the product, mails to customers from the workspace.
    name = email.from_name or (branding.from_name if branding else "")
    if not name:
        name = email.workspace.name if email.contact_id else default_name
    return Sender(formataddr((_one_line(name), address)), email.reply_to or _reply_to(email, branding))


def _reply_to(email: OutboundEmail, branding: MailBranding | None) -> str:
    if email.contact is None or (branding is None and email.contact.account.csm is None):
        return ""
    mode = branding.reply_to if branding else MailBranding.ReplyTo.CSM
    if branding and mode == MailBranding.ReplyTo.FIXED:
        return branding.reply_to_address
    csm = email.contact.account.csm
    if mode == MailBranding.ReplyTo.CSM and csm is not None and csm.is_active:
        return csm.user.email
    return branding.reply_to_address if branding and mode == MailBranding.ReplyTo.CSM else ""


def _one_line(name: str) -> str:
    return " ".join(name.split())
