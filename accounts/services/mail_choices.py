"""A person's own choices about our mails, made by the link in a mail."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import Contact, OutboundEmail
from accounts.queries.mail_choices import people_at
from accounts.services.audit import audit
from accounts.services.suppressions import address_hash, choose_categories, pause
from accounts.signals import contact_changed
from cs_platform.lib.scoping import workspace_scope

PAUSE = timedelta(days=30)
HAND_OVER_WAIT = 0.8
_STALE = timedelta(minutes=1)


@transaction.atomic
def save_choices(
    *,
    address: str,
    wanted: Sequence[str],
    is_paused: bool,
    paused_until: datetime | None,
    language: str,
    now: datetime,
) -> None:
    """Exactly these categories; a pause that runs keeps its end, a new one lasts 30 days."""
    choose_categories(address, wanted=list(wanted), now=now)
    if is_paused != (paused_until is not None):
        pause(address, until=now + PAUSE if is_paused else None, now=now)
    for contact in people_at(address):
        if language and contact.language != language:
            Contact.objects.filter(pk=contact.pk).update(language=language)
            contact_changed.send(contact.pk)
            audit("accounts.contact.language_chosen", acting_user=None, target=contact, language=language)


def wait_for_hand_overs(workspace_id: int, address: str, *, now: datetime) -> bool:
    """Wait until no mail to the address is being handed over any more, so that nothing comes after the answer.

    Call outside any transaction, after the choice is committed: no new hand-over begins then. Gives up
    after 0.8 seconds, because RFC 8058 senders want an answer; a mail system that is slower than that may
    still deliver the mail that was on its way.
    """
    deadline = time.monotonic() + HAND_OVER_WAIT
    while time.monotonic() < deadline:
        with workspace_scope(workspace_id):
            on_their_way = OutboundEmail.objects.filter(
                address_hash=address_hash(address),
                status=OutboundEmail.Status.SENDING,
                begun_at__gt=now - _STALE,
            )
            if not on_their_way.exists():
                return True
        time.sleep(0.02)
    return False
