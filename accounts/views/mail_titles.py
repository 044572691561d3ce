"""What a mail is called in a list: its subject, else its kind."""

from __future__ import annotations

from django.utils.translation import gettext

from accounts.mail_texts.placeholders import fill_line
from accounts.models import OutboundEmail
from accounts.services.mail_rendering import words_of


def title_of(email: OutboundEmail) -> str:
    """The subject of a mail made of a text, with the values it was sent with."""
    subject = words_of(email).get("subject", "")
    if subject:
        return fill_line(subject, email.context.get("values", {}))
    return gettext("Mail: %(kind)s") % {"kind": email.kind.rpartition(".")[2].replace("_", " ")}
