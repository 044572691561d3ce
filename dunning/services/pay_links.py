"""The link to the card page: bound to one person and one account, made anew for every mail that carries it.

The secret is derived from what it is bound to, so that a mail handed over twice is the same mail; the database
has its hash only. A new season gives a new link, and the old one stays valid until it expires.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence
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
    return pay_urls([(account, contact)], now=now)[0]


def pay_urls(who: Sequence[tuple[Account, Contact | None]], *, now: datetime) -> list[str]:
    """The addresses for many, in their order; two queries."""
    workspace = Workspace.objects.get(pk=current_workspace_id())
    tokens = [_token(workspace, account, contact, now) for account, contact in who]
    expires_at = now + token_purposes.get(PURPOSE).lifetime
    AccessLink.objects.bulk_create(
        [
            AccessLink(
                purpose=PURPOSE,
                contact=contact,
                object_id=account.pk,
                token_hash=token.digest,
                expires_at=expires_at,
            )
            for (account, contact), token in zip(who, tokens, strict=True)
        ],
        ignore_conflicts=True,  # the same person's link of this season
    )
    return [address_of(token) for token in tokens]


def _token(workspace: Workspace, account: Account, contact: Contact | None, now: datetime) -> Credential:
    season = int(now.timestamp() // SEASON.total_seconds())
    person = contact.public_id.hex if contact else "-"
    name = f"{account.public_id.hex}:{person}:{season}"
    mac = salted_hmac(PURPOSE, name, algorithm="sha256").digest()
    return Credential(workspace.public_id, urlsafe_b64encode(mac).rstrip(b"=").decode())


def short_token(
    *, account: Account, contact: Contact | None, lifetime: timedelta, now: datetime
) -> Credential:
    """A random link that lives so long: for places that keep the address itself, such as the provider's page."""
    link, token = create_link(purpose=PURPOSE, contact=contact, object_id=account.pk, now=now)
    AccessLink.objects.filter(pk=link.pk).update(expires_at=now + lifetime)
    return token


def address_of(token: Credential | str) -> str:
    return str(settings.BASE_URL) + reverse("dunning:pay", args=[str(token)])
