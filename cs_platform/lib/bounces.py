"""Bounce mails read: delivery status notifications (RFC 3464) and the free texts of older servers.

Twelve kinds, by the enhanced status code (RFC 3463, IANA registry) and, where a server gives a
generic one, by its words. Three verdicts follow: `hard` (the address does not exist), `soft` (not
now), `blocked` (the mail or its sender is refused, the address is fine).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import parseaddr

VERDICTS = {
    "unknown_user": "hard",
    "unknown_domain": "hard",
    "mailbox_inactive": "hard",
    "mailbox_full": "soft",
    "too_large": "soft",
    "spam_refused": "blocked",
    "sender_not_trusted": "blocked",
    "relay_denied": "blocked",
    "greylisted": "soft",
    "too_many": "soft",
    "unreachable": "soft",
    "server_error": "soft",
}

# Words win over codes: many servers answer 5.7.1 or 5.0.0 to everything.
_WORDS = (
    ("greylisted", r"gr[ae]y.?list|try again later.*first|please retry.*minutes"),
    ("relay_denied", r"relay(ing)?( access)? (denied|not permitted)|unable to relay|not allowed to relay"),
    ("sender_not_trusted", r"\b(dmarc|spf|dkim)\b|unauthenticated (mail|email)|reverse dns|ptr record"),
    ("too_many", r"too many (messages|connections|recipients)|rate.?limit|throttl|unusual rate|exceeded the rate"),
    ("mailbox_full", r"(mailbox|quota|inbox).{0,40}(full|exceeded)|over.?quota|out of storage|insufficient.{0,20}storage"),
    ("spam_refused", r"\bspam\b|block.?list|black.?list|spamhaus|reputation|unsolicited|content (was )?reject"),
    ("too_large", r"(message|size|mail).{0,30}(too (large|big)|exceeds.{0,20}(size|limit))"),
    ("mailbox_inactive", r"(mailbox|account|user).{0,30}(disabled|inactive|suspended|deactivated|locked)"),
    ("unknown_domain", r"(host|domain).{0,30}not found|no (such|valid) (domain|mx)|name service error|nxdomain|domain does not exist"),
    ("unknown_user", r"(user|mailbox|recipient|address|account).{0,30}(unknown|not found|does.?n.?t exist|does not exist|invalid|unavailable|rejected)|no such (user|mailbox|recipient|person)|unknown (user|recipient|mailbox)|no mailbox here"),
    ("unreachable", r"timed? ?out|connection (refused|lost|reset)|no route|expired|could not be delivered for|delivery temporarily suspended"),
)  # fmt: skip
_CODES = (
    (r"[45]\.1\.[0136]|5\.1\.10|5\.1\.4", "unknown_user"),
    (r"5\.1\.2|5\.4\.4|5\.1\.7", "unknown_domain"),
    (r"[45]\.2\.1", "mailbox_inactive"),
    (r"[45]\.2\.2|[45]\.3\.1", "mailbox_full"),
    (r"[45]\.2\.3|[45]\.3\.4", "too_large"),
    (r"5\.7\.(2[0-9]|8)", "sender_not_trusted"),
    (r"4\.7\.(0|28)|4\.3\.2|4\.4\.5|4\.5\.3|5\.5\.3", "too_many"),
    (r"4\.7\.1|4\.2\.0", "greylisted"),
    (r"5\.7\.\d+|5\.6\.\d+", "spam_refused"),
    (r"[45]\.4\.\d+", "unreachable"),
    (r"[45]\.\d+\.\d+", "server_error"),
)
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_REPLY = re.compile(r"\b([45]\d\d)[ -]")
_ADDRESS = re.compile(r"<?([A-Za-z0-9._%+'-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,})>?")
_MESSAGE_ID = re.compile(r"^Message-ID:\s*(<[^>\s]+>)", re.IGNORECASE | re.MULTILINE)
_TEXT_READ = 20_000


@dataclass(frozen=True)
class Bounce:
    """`kind` is a key of VERDICTS; `status` like "5.1.1", or empty; `message_id` of the mail that came back."""

    recipient: str
    kind: str
    status: str
    message_id: str

    @property
    def verdict(self) -> str:
        return VERDICTS[self.kind]


def read_bounce(raw: bytes) -> list[Bounce]:
    """What a mail says came back, one entry per recipient; empty for delays, receipts, absence notes and all else."""
    mail = message_from_bytes(raw, policy=policy.default)
    message_id = _original_id(mail)
    reports = [part for part in mail.walk() if part.get_content_type() == "message/delivery-status"]
    if reports:
        found = [_from_fields(fields, message_id) for report in reports for fields in _blocks(report)]
        return [bounce for bounce in found if bounce is not None]
    return _from_text(mail, message_id) if _looks_like_bounce(mail) else []


def kind_of(status: str, words: str) -> str:
    """One of the twelve kinds for an enhanced status code and a server's words."""
    text = words.lower()
    for kind, pattern in _WORDS:
        if re.search(pattern, text):
            # "Temporarily refused" of an unknown user or domain is a failing directory, not a verdict.
            is_hard = VERDICTS[kind] == "hard"
            return "server_error" if is_hard and status.startswith("4") else kind
    for pattern, kind in _CODES:
        if re.fullmatch(pattern, status):
            return "server_error" if VERDICTS[kind] == "hard" and status.startswith("4") else kind
    return "server_error"


def _blocks(report: Message) -> list[Message]:
    """The per-recipient fields; the parser makes one message of each block."""
    payload = report.get_payload()
    return [block for block in payload if isinstance(block, Message)] if isinstance(payload, list) else []


def _from_fields(fields: Message, message_id: str) -> Bounce | None:
    action = str(fields.get("Action", "")).strip().lower()
    recipient = _typed(fields, "Original-Recipient") or _typed(fields, "Final-Recipient")
    if action != "failed" or not recipient:
        return None
    words = " ".join(_typed(fields, "Diagnostic-Code").split())
    found = _STATUS.findall(words)
    status = next((code for code in found if not code.endswith(".0.0")), "") or _first(
        _STATUS, str(fields.get("Status", ""))
    )
    return Bounce(recipient.lower(), kind_of(status, words), status, message_id)


def _typed(fields: Message, name: str) -> str:
    """The value behind `rfc822;` or `smtp;`."""
    value = str(fields.get(name, ""))
    return value.partition(";")[2].strip().strip("<>") if ";" in value else value.strip().strip("<>")


def _original_id(mail: Message) -> str:
    """Message-ID of the mail that came back: its own part, its headers, or quoted in the text."""
    for part in mail.walk():
        kind = part.get_content_type()
        if kind == "message/rfc822":
            inner = part.get_payload()
            first = inner[0] if isinstance(inner, list) and inner else None
            if isinstance(first, Message) and first.get("Message-ID"):
                return str(first["Message-ID"]).strip()
        elif kind == "text/rfc822-headers" and (found := _first(_MESSAGE_ID, _text(part))):
            return found
    return _first(_MESSAGE_ID, _plain(mail))


def _looks_like_bounce(mail: Message) -> bool:
    if str(mail.get("Auto-Submitted", "")).lower().startswith("auto-replied"):
        return False
    sender = parseaddr(str(mail.get("From", "")))[1].lower()
    is_system = (
        sender.startswith(("mailer-daemon@", "postmaster@"))
        or str(mail.get("Return-Path", "")).strip() == "<>"
    )
    subject = str(mail.get("Subject", "")).lower()
    return is_system and bool(
        re.search(
            r"fail|undeliver|returned|bounce|delivery status|not delivered|rejected|반송|전송 실패", subject
        )
    )


def _from_text(mail: Message, message_id: str) -> list[Bounce]:
    """Servers without RFC 3464 (qmail, old Exchange): the first address, code and words of the text."""
    words = _plain(mail).partition("--- Below this line")[0]
    failed = str(mail.get("X-Failed-Recipients", "")).partition(",")[0].strip()
    recipient = failed or _first(_ADDRESS, words)
    if not recipient:
        return []
    reply = _first(_REPLY, words)
    status = _first(_STATUS, words) or (f"{reply[0]}.0.0" if reply else "")
    return [Bounce(recipient.lower(), kind_of(status, " ".join(words.split())), status, message_id)]


def _plain(mail: Message) -> str:
    return "\n".join(_text(p) for p in mail.walk() if p.get_content_type() == "text/plain")[:_TEXT_READ]


def _text(part: Message) -> str:
    if isinstance(part, EmailMessage):
        try:
            return str(part.get_content())
        except (LookupError, KeyError, ValueError):
            pass
    payload = part.get_payload(decode=True)
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else str(part.get_payload())


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found.group(1) if found else ""
