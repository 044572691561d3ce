"""The way out that every optional mail carries: unsubscribe and preferences, by a link of its own."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import AccessLink, MailClass, OutboundEmail
from accounts.registry import token_purposes
from cs_platform.lib.signing import Credential

PURPOSE = "accounts.mail_choices"
LIFETIME = timedelta(days=3 * 365)


def is_optional(email: OutboundEmail) -> bool:
    """Whether a person may switch mails of this sort off."""
    return bool(email.mail_class) and email.mail_class != MailClass.TRANSACTIONAL


def choice_links(email: OutboundEmail) -> dict[str, str]:
    """`unsubscribe_url` and `preferences_url` of an optional mail; empty texts for a transactional one.

    The secret is derived from the mail's random id, so that a repeated hand-over is the same mail byte
    for byte, which providers with idempotency keys ask for; the database has its hash only.
    """
    if not is_optional(email):
        return {"unsubscribe_url": "", "preferences_url": ""}
    mac = salted_hmac("accounts.mail_choices", email.public_id.hex, algorithm="sha256").digest()
    secret = urlsafe_b64encode(mac).rstrip(b"=").decode()
    token = Credential(email.workspace.public_id, secret)
    AccessLink.objects.get_or_create(
        token_hash=token.digest,
        defaults={
            "purpose": PURPOSE,
            "contact": email.contact,
            "object_id": email.pk,
            "expires_at": timezone.now() + token_purposes.get(PURPOSE).lifetime,
        },
    )
    return {
        "unsubscribe_url": settings.BASE_URL + reverse("accounts:unsubscribe", args=[str(token)]),
        "preferences_url": settings.BASE_URL + reverse("accounts:mail_preferences", args=[str(token)]),
    }


def list_headers(unsubscribe_url: str) -> dict[str, str]:
    """RFC 2369 and RFC 8058: the mail program's own unsubscribe button, one click, no page."""
    if not unsubscribe_url:
        return {}
    return {
        "List-Unsubscribe": f"<{unsubscribe_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
