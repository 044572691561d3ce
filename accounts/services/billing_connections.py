"""A workspace's way to its payment provider: connecting, changing secrets, disconnecting."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from accounts.gateways.stripe.rights import KeyCheck
from accounts.models import BillingConnection, BillingSync, User
from accounts.services.audit import audit
from accounts.services.billing_inbox import current_connection
from accounts.services.billing_rights import let_orders_go_on
from accounts.services.billing_syncs import begin_sync

ROTATION = timedelta(hours=24)


class OtherCompany(Exception):
    """The key belongs to another company at the provider than the one that is connected, or to the other mode of it.

    `name` is the connected one's; `is_live` its mode where that is the reason, else None.
    """

    def __init__(self, name: str, *, is_live: bool | None = None) -> None:
        super().__init__()
        self.name = name
        self.is_live = is_live


@transaction.atomic
def connect(
    *, api_key: str, webhook_secret: str, checked: KeyCheck, acting_user: User | None, now: datetime
) -> BillingConnection:
    """Connect, or give the connection another key of the same company. Begins the first synchronisation.

    Raises OtherCompany for a key of somebody else's ledger: the mirror must not mix two.
    """
    connected = BillingConnection.objects.select_for_update().filter(disconnected_at__isnull=True).first()
    account_ref = checked.account.id if checked.account else ""
    if connected is not None:
        _refuse_other(connected, checked, account_ref)
    is_new = connected is None
    if connected is None:
        connected = BillingConnection(connected_by=acting_user, connected_at=now)
    connected.api_key, connected.is_live = api_key, checked.is_live
    is_more = bool(set(connected.missing) - set(checked.missing))
    connected.missing, connected.refused_at = list(checked.missing), None
    if checked.account is not None:
        connected.account_ref, connected.account_name = account_ref[:100], checked.account.name[:200]
    if webhook_secret:
        connected.webhook_secret = webhook_secret
    connected.save()
    action = "connected" if is_new else "key_changed"
    audit(f"accounts.billing_connection.{action}", acting_user=acting_user, target=connected)
    let_orders_go_on()
    if is_new or is_more:
        begin_sync(connected, BillingSync.Kind.FIRST, now=now)
    return connected


def _refuse_other(connected: BillingConnection, checked: KeyCheck, account_ref: str) -> None:
    is_other = bool(account_ref and connected.account_ref and account_ref != connected.account_ref)
    if is_other:
        raise OtherCompany(connected.account_name)
    if connected.is_live != checked.is_live:
        raise OtherCompany(connected.account_name, is_live=connected.is_live)


@transaction.atomic
def note_rights(*, checked: KeyCheck, now: datetime) -> BillingConnection | None:
    """The key was looked at again."""
    connected = current_connection()
    if connected is not None:
        connected.refused_at = None
        connected.save(update_fields=["refused_at"])
        regain(connected, checked.missing, now=now)
        let_orders_go_on()
    return connected


def regain(connected: BillingConnection, missing: Iterable[str], *, now: datetime) -> None:
    """These rights are missing still. What could not be read without the others is read now, with all the rest."""
    left = list(missing)
    is_more = bool(set(connected.missing) - set(left))
    connected.missing = left
    connected.save(update_fields=["missing"])
    if is_more:
        let_orders_go_on()
    if is_more or connected.events_read_to is None:
        begin_sync(connected, BillingSync.Kind.FIRST, now=now)


@transaction.atomic
def set_webhook_secret(*, secret: str, acting_user: User | None, now: datetime) -> BillingConnection | None:
    """From now on this one; the former secret proves messages for another day."""
    connected = BillingConnection.objects.select_for_update().filter(disconnected_at__isnull=True).first()
    if connected is None or connected.webhook_secret == secret:
        return connected
    if connected.webhook_secret:
        connected.previous_secret, connected.previous_until = connected.webhook_secret, now + ROTATION
    connected.webhook_secret, connected.unproven_at, connected.unproven_reason = secret, None, ""
    connected.save(
        update_fields=[
            "webhook_secret",
            "previous_secret",
            "previous_until",
            "unproven_at",
            "unproven_reason",
        ]
    )
    audit("accounts.billing_connection.secret_changed", acting_user=acting_user, target=connected)
    return connected


@transaction.atomic
def disconnect(*, acting_user: User | None, now: datetime) -> None:
    """Forget key and secrets; the mirror stays as it is."""
    connected = BillingConnection.objects.select_for_update().filter(disconnected_at__isnull=True).first()
    if connected is None:
        return
    connected.api_key = connected.webhook_secret = connected.previous_secret = ""
    connected.previous_until, connected.disconnected_at = None, now
    connected.save()
    running = BillingSync.objects.filter(connection=connected, state=BillingSync.State.RUNNING)
    running.update(state=BillingSync.State.FAILED, finished_at=now, error="disconnected")
    audit("accounts.billing_connection.disconnected", acting_user=acting_user, target=connected)


@transaction.atomic
def synchronise(*, acting_user: User | None, now: datetime) -> BillingSync | None:
    """Read everything anew, or go on with what is under way; None without a connection."""
    connected = current_connection()
    if connected is None:
        return None
    sync = begin_sync(connected, BillingSync.Kind.FIRST, now=now)
    audit("accounts.billing_sync.requested", acting_user=acting_user, target=sync)
    return sync
