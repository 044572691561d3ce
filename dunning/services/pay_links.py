"""The link to the card page: bound to one person and one account, made anew for every mail that carries it.

The secret is derived from what it is bound to, so that a mail handed over twice is the same mail; the database
has its hash only. A new season gives a new link, and the old one stays valid until it expires.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import salted_hmac

from accounts.models import AccessLink, Account, Contact, Workspace
from accounts.registry import token_purposes
from accounts.services.access_links import create_link
from cs_platform.lib.scoping import current_workspace_id
from cs_platform.lib.signing import Credential

PURPOSE = "dunning.pay"
LIFETIME = timedelta(days=120)
SEASON = timedelta(days=30)
RETURN_HOURS, MESSAGE_DAYS = timedelta(hours=25), timedelta(days=14)


def pay_url(*, account: Account, contact: Contact | None, now: datetime) -> str:
    """The whole address of the card page for this person (None: whoever pays for the account)."""
    workspace = Workspace.objects.get(pk=current_workspace_id())
    season = int(now.timestamp() // SEASON.total_seconds())
    person = contact.public_id.hex if contact else "-"
    name = f"{account.public_id.hex}:{person}:{season}"
    mac = salted_hmac(PURPOSE, name, algorithm="sha256").digest()
    token = Credential(workspace.public_id, urlsafe_b64encode(mac).rstrip(b"=").decode())
    AccessLink.objects.get_or_create(
        token_hash=token.digest,
        defaults={
            "purpose": PURPOSE,
            "contact": contact,
            "object_id": account.pk,
            "expires_at": now + token_purposes.get(PURPOSE).lifetime,
        },
    )
    return address_of(token)


def short_token(
    *, account: Account, contact: Contact | None, lifetime: timedelta, now: datetime
) -> Credential:
    """A random link that lives so long: for places that keep the address itself, such as the provider's page."""
    link, token = create_link(purpose=PURPOSE, contact=contact, object_id=account.pk, now=now)
    AccessLink.objects.filter(pk=link.pk).update(expires_at=now + lifetime)
    return token


def address_of(token: Credential | str) -> str:
    return str(settings.BASE_URL) + reverse("dunning:pay", args=[str(token)])
