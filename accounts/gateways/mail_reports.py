"""What mail providers and mail servers report back, verified and in our own words."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from anymail.exceptions import AnymailError, AnymailWebhookValidationFailure
from anymail.signals import EventType, RejectReason
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils.translation import gettext_lazy as _

from accounts.models import MailEvent
from cs_platform.lib.bounces import read_bounce

Kind = MailEvent.Kind
USER = "mail"
_TOLERANCE = 300
# Never stored: what proves the sender, and what belongs to a browser.
_LEFT_OUT = {"authorization", "cookie"}


@dataclass(frozen=True)
class Provider:
    """`proof`: "password" (we make it, it stands in the URL), "signature" (the provider's key is pasted in)."""

    name: str
    label: Any
    proof: str
    view: str = ""
    option: str = ""


PROVIDERS = {
    provider.name: provider
    for provider in (
        Provider("brevo", "Brevo", "password", "brevo.BrevoTrackingWebhookView"),
        Provider("mailersend", "MailerSend", "signature", "mailersend.MailerSendTrackingWebhookView", "signing_secret"),
        Provider("mailgun", "Mailgun", "signature", "mailgun.MailgunTrackingWebhookView", "webhook_signing_key"),
        Provider("mailjet", "Mailjet", "password", "mailjet.MailjetTrackingWebhookView"),
        Provider("postmark", "Postmark", "password", "postmark.PostmarkTrackingWebhookView"),
        Provider("resend", "Resend", "signature", "resend.ResendTrackingWebhookView"),
        Provider("sparkpost", "SparkPost", "password", "sparkpost.SparkPostTrackingWebhookView"),
        Provider("smtp", _("Your own mail server (bounce mails)"), "password"),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Report:
    """One event about one mail. `reference` is our mail's public id, `message_id` its header."""

    event_id: str
    kind: str
    recipient: str
    code: str
    occurred_at: datetime
    reference: str = ""
    message_id: str = ""


class Unreadable(RuntimeError):
    """A verified report that cannot be understood; trying again cannot help."""


def is_genuine(name: str, secret: str, request: HttpRequest) -> bool:
    """Whether the request comes from who holds the secret."""
    provider = PROVIDERS[name]
    if provider.proof == "password":
        return _has_password(request, secret)
    if name == "resend":
        return _has_svix_signature(request, secret)
    try:
        _view(provider, secret).run_validators(request)
    except (AnymailWebhookValidationFailure, UnicodeEncodeError, AttributeError, TypeError):
        return False
    return True


def kept_headers(request: HttpRequest) -> dict[str, str]:
    """What reading it later needs."""
    return {name.lower(): value for name, value in request.headers.items() if name.lower() not in _LEFT_OUT}


def read(name: str, headers: Mapping[str, str], body: bytes, *, received_at: datetime) -> list[Report]:
    """The events of a stored request. Raises Unreadable."""
    if name == "smtp":
        return _from_bounce_mail(body, received_at)
    extra: dict[str, Any] = {f"HTTP_{key.upper().replace('-', '_')}": value for key, value in headers.items()}
    kind = headers.get("content-type", "application/json")
    request = RequestFactory().generic("POST", "/", body, content_type=kind, **extra)
    try:
        events = _view(PROVIDERS[name], "x").parse_events(request)
    except (AnymailError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise Unreadable(type(error).__name__) from error
    found = [_to_report(event, body, place, received_at) for place, event in enumerate(events)]
    return [report for report in found if report is not None]


def _view(provider: Provider, secret: str) -> Any:
    module, _, name = provider.view.partition(".")
    options = {provider.option: secret} if provider.option else {"webhook_secret": f"{USER}:{secret}"}
    if provider.option:  # its signature is the proof; the password it also could have had is not asked for
        options["webhook_secret"] = ""
    view = getattr(import_module(f"anymail.webhooks.{module}"), name)
    view.warn_if_no_basic_auth = False
    return view(**options)


def _has_password(request: HttpRequest, secret: str) -> bool:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        given = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return False
    return scheme.lower() == "basic" and hmac.compare_digest(given, f"{USER}:{secret}".encode())


def _has_svix_signature(request: HttpRequest, secret: str) -> bool:
    """Standard Webhooks as Resend sends them: HMAC-SHA256 over id, time and body; five minutes either way."""
    identifier, stamp = request.headers.get("svix-id", ""), request.headers.get("svix-timestamp", "")
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        is_fresh = abs(time.time() - int(stamp)) <= _TOLERANCE
    except (binascii.Error, ValueError):
        return False
    mac = hmac.new(key, f"{identifier}.{stamp}.".encode() + request.body, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(mac)
    given = request.headers.get("svix-signature", "").encode().split()
    return is_fresh and any(hmac.compare_digest(one, expected) for one in given)


def _to_report(event: Any, body: bytes, place: int, received_at: datetime) -> Report | None:
    kind = _kind_of(event)
    if kind is None or not event.recipient:
        return None
    own_id = event.event_id or f"{hashlib.sha256(body).hexdigest()}:{place}"
    return Report(
        event_id=f"{event.event_type}:{own_id}"[:200],
        kind=kind,
        recipient=str(event.recipient),
        code=str(event.reject_reason or "")[:40],
        occurred_at=event.timestamp or received_at,
        reference=str((event.metadata or {}).get("mail", "")),
        message_id=str(event.message_id or ""),
    )


_DIRECT = {
    EventType.DELIVERED: Kind.DELIVERED,
    EventType.COMPLAINED: Kind.COMPLAINT,
    EventType.UNSUBSCRIBED: Kind.UNSUBSCRIBED,
}
_BY_REASON = {
    RejectReason.INVALID: Kind.HARD_BOUNCE,
    RejectReason.BOUNCED: Kind.HARD_BOUNCE,
    RejectReason.SPAM: Kind.COMPLAINT,
    RejectReason.UNSUBSCRIBED: Kind.UNSUBSCRIBED,
    RejectReason.TIMED_OUT: Kind.SOFT_BOUNCE,
    RejectReason.BLOCKED: Kind.BLOCKED,
}


def _kind_of(event: Any) -> str | None:
    """Opens, clicks, delays and the like are not asked for: None."""
    if event.event_type in _DIRECT:
        return str(_DIRECT[event.event_type])
    if event.event_type not in (EventType.BOUNCED, EventType.REJECTED):
        return None
    kind = _BY_REASON.get(event.reject_reason)
    if kind is None:  # a bounce without a known reason: only a provider that says "for good" is believed
        kind = (
            Kind.HARD_BOUNCE
            if event.event_type == EventType.BOUNCED and _says(event, _HARD_WORDS)
            else Kind.BLOCKED
        )
    is_soft = kind == Kind.HARD_BOUNCE and (_says(event, _SOFT_WORDS) or _is_mailjet_soft(event))
    return str(Kind.SOFT_BOUNCE if is_soft else kind)


_SOFT_WORDS = ("softbounce", "soft_bounce", "transient", "temporary", "soft")
_HARD_WORDS = ("permanent", "hardbounce", "hard_bounce", "hard")


def _says(event: Any, words: tuple[str, ...]) -> bool:
    """anymail says "bounced" for both sorts; each provider has a word of its own for either."""
    raw = json.dumps(event.esp_event, default=str).lower()
    return any(f'"{word}"' in raw for word in words)


def _is_mailjet_soft(event: Any) -> bool:
    return '"hard_bounce": false' in json.dumps(event.esp_event, default=str).lower()


def _from_bounce_mail(body: bytes, received_at: datetime) -> list[Report]:
    kinds = {"hard": Kind.HARD_BOUNCE, "soft": Kind.SOFT_BOUNCE, "blocked": Kind.BLOCKED}
    digest = hashlib.sha256(body).hexdigest()
    return [
        Report(
            event_id=f"dsn:{digest}:{place}",
            kind=kinds[bounce.verdict],
            recipient=bounce.recipient,
            code=bounce.kind,
            occurred_at=received_at.astimezone(UTC),
            message_id=bounce.message_id,
        )
        for place, bounce in enumerate(read_bounce(body))
    ]
