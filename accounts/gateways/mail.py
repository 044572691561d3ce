"""The only code that hands a mail to a mail system."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass, field

from django.core.mail import EmailMultiAlternatives


class MailError(RuntimeError):
    """A mail was refused. `permanent`: trying again cannot help. `unknown`: it may have gone out."""

    def __init__(self, code: str, *, permanent: bool, unknown: bool = False) -> None:
        super().__init__(code)
        self.code, self.permanent, self.unknown = code, permanent, unknown


@dataclass(frozen=True)
class Message:
    """A rendered mail. `message_id` makes a doubtful one recognisable in the recipient's box."""

    to_address: str
    subject: str
    text: str
    html: str
    message_id: str
    headers: dict[str, str] = field(default_factory=dict)


def send(message: Message) -> None:
    """Hand one mail over. Raises MailError; no answer after the hand-over began counts as unknown."""
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=message.text,
        to=[message.to_address],
        headers={"Message-ID": message.message_id, **message.headers},
    )
    mail.attach_alternative(message.html, "text/html")
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise MailError("recipient_refused", permanent=all(code >= 500 for code in codes)) from error
    except smtplib.SMTPResponseException as error:
        raise MailError(f"smtp_{error.smtp_code}", permanent=error.smtp_code >= 500) from error
    except (smtplib.SMTPServerDisconnected, TimeoutError) as error:
        raise MailError("no_answer", permanent=False, unknown=True) from error
    except OSError as error:
        raise MailError("unreachable", permanent=False) from error
