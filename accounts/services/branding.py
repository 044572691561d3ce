"""Verbs of the workspace's branding: sender, logo, colour, and the proof that a sender's address is one's own."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import IO

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from accounts.models import AccessLink, BrandLogo, MailBranding, StoredFile, StoredFileChunk, User
from accounts.services.access_links import create_link, use_up
from accounts.services.audit import audit
from accounts.services.mail import queue_mail
from cs_platform.lib.logos import clean_logo
from cs_platform.lib.scoping import current_workspace_id

SENDER_PURPOSE, SENDER_KIND = "accounts.sender", "accounts.sender_check"
SENDER_LIFETIME = timedelta(days=3)


def own_branding() -> MailBranding:
    """The running workspace's row, made when it is first needed."""
    branding, _ = MailBranding.objects.get_or_create(workspace_id=current_workspace_id())
    return branding


@transaction.atomic
def save_branding(*, values: dict[str, str], acting_user: User, now: datetime) -> MailBranding:
    """Store what the form holds. A new sender address is asked for its consent and unused until then."""
    branding = own_branding()
    is_new_address = values.get("from_address", "") != branding.from_address
    for name, value in values.items():
        setattr(branding, name, value)
    if is_new_address:
        branding.from_confirmed_at = None
    branding.save()
    audit("accounts.branding.changed", acting_user=acting_user, target=branding, fields=sorted(values))
    if is_new_address and branding.from_address:
        ask_sender(branding=branding, acting_user=acting_user, now=now)
    return branding


@transaction.atomic
def ask_sender(*, branding: MailBranding, acting_user: User, now: datetime) -> None:
    """Mail the sender's address a link; who reads its mail may lend its name."""
    AccessLink.objects.filter(purpose=SENDER_PURPOSE, revoked_at__isnull=True).update(revoked_at=now)
    _, credential = create_link(purpose=SENDER_PURPOSE, contact=None, object_id=branding.pk, now=now)
    queue_mail(
        SENDER_KIND,
        to_address=branding.from_address,
        context={
            "link": settings.BASE_URL + reverse("accounts:sender_confirmation", args=[str(credential)]),
            "asked_by": str(acting_user),
            "address": branding.from_address,
        },
        language=branding.workspace.language,
    )


@transaction.atomic
def confirm_sender(*, link: AccessLink, now: datetime) -> bool:
    """The address may be used from now on; False when the link was used before."""
    if not use_up(link=link, now=now):
        return False
    branding = MailBranding.objects.filter(pk=link.object_id).exclude(from_address="").first()
    if branding is None:
        return False
    branding.from_confirmed_at = now
    branding.save(update_fields=["from_confirmed_at"])
    audit("accounts.branding.sender_confirmed", acting_user=None, target=branding)
    return True


@transaction.atomic
def set_logo(*, upload: IO[bytes], acting_user: User, now: datetime) -> BrandLogo:
    """Decode the upload, keep our own PNG of it and use it from now on. Raises BadLogo."""
    logo = clean_logo(upload)
    file = StoredFile.objects.create(name="logo.png", content_type="image/png", size=len(logo.data))
    StoredFileChunk.objects.create(file=file, position=0, data=logo.data)
    made: BrandLogo = BrandLogo.objects.create(
        file=file, width=logo.width, height=logo.height, uploaded_by=acting_user, uploaded_at=now
    )
    branding = own_branding()
    branding.logo = made
    branding.save(update_fields=["logo"])
    audit("accounts.branding.logo_set", acting_user=acting_user, target=made)
    return made


@transaction.atomic
def drop_logo(*, acting_user: User) -> None:
    """Mails show the name again; the picture stays for those that are out there."""
    branding = own_branding()
    branding.logo = None
    branding.save(update_fields=["logo"])
    audit("accounts.branding.logo_dropped", acting_user=acting_user, target=branding)


def logo_bytes(logo: BrandLogo) -> bytes:
    chunks = StoredFileChunk.objects.filter(file=logo.file_id).order_by("position")
    return b"".join(bytes(data) for data in chunks.values_list("data", flat=True))
