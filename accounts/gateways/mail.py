"""The only code that hands a mail to a mail system."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass, field

from anymail.exceptions import AnymailAPIError, AnymailError
from django.core.mail import EmailMultiAlternatives


class MailAway(RuntimeError):
    """A mail that somebody waits for could not be handed over; nothing was kept of it."""


class MailError(RuntimeError):
    """A mail was refused. `permanent`: trying again cannot help. `unknown`: it may have gone out."""

    def __init__(self, code: str, *, permanent: bool, unknown: bool = False) -> None:
        super().__init__(code)
        self.code, self.permanent, self.unknown = code, permanent, unknown


@dataclass(frozen=True)
class Message:
    """A rendered mail. `message_id` makes a doubtful one recognisable in the recipient's box;
    `reference` comes back with a provider's reports."""

    to_address: str
    subject: str
    text: str
    html: str
    message_id: str
    headers: dict[str, str] = field(default_factory=dict)
    reference: str = ""
    from_address: str = ""  # as in the From line; empty: the installation's
    reply_to: str = ""


def send(message: Message) -> str:
    """Hand one mail over; the provider's own id for it, if it gives one.

    Raises MailError; no answer after the hand-over began counts as unknown.
    """
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=message.text,
        from_email=message.from_address or None,
        reply_to=[message.reply_to] if message.reply_to else None,
        to=[message.to_address],
        headers={"Message-ID": message.message_id, **message.headers},
    )
    mail.attach_alternative(message.html, "text/html")
    if message.reference:
        mail.metadata = {"mail": message.reference}  # type: ignore[attr-defined]  # read by anymail's backends
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise MailError("recipient_refused", permanent=all(code >= 500 for code in codes)) from error
    except smtplib.SMTPConnectError as error:  # before any hand-over, whatever the greeting's code
        raise MailError(f"smtp_{error.smtp_code}", permanent=False) from error
    except smtplib.SMTPResponseException as error:
        raise MailError(f"smtp_{error.smtp_code}", permanent=error.smtp_code >= 500) from error
    except AnymailError as error:  # before OSError: those of requests are both
        raise _from_provider(error) from error
    except (smtplib.SMTPServerDisconnected, TimeoutError) as error:
        raise MailError("no_answer", permanent=False, unknown=True) from error
    except OSError as error:
        raise MailError("unreachable", permanent=False) from error
    status = getattr(mail, "anymail_status", None)
    return str(getattr(status, "message_id", None) or "")


def _from_provider(error: AnymailError) -> MailError:
    """4xx: refused (429 only for now); 5xx or no answer: it may have gone out."""
    status = error.status_code
    if status is None and isinstance(error, AnymailAPIError):
        return MailError("no_answer", permanent=False, unknown=True)
    if status is not None and status >= 500:
        return MailError(f"provider_{status}", permanent=False, unknown=True)
    return MailError(f"provider_{status or 'refused'}", permanent=status not in (401, 403, 408, 409, 429))
