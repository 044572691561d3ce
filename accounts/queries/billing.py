"""What the page of the payment provider shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.gateways.stripe.events import OTHER_TIME
from accounts.models import (
    BillingConnection,
    BillingCustomer,
    BillingDifference,
    BillingMessage,
    BillingSync,
    Invoice,
    PaymentAttempt,
    Plan,
    Subscription,
)

PAGE = 50
QUIET = timedelta(hours=48)
STAGES: tuple[tuple[str, Any], ...] = (
    ("prices", _("Prices")),
    ("customers", _("Customers")),
    ("subscriptions", _("Subscriptions")),
    ("invoices", _("Invoices")),
    ("charges", _("Tries to collect")),
)


@dataclass(frozen=True)
class StageRow:
    """`state`: done, running or waiting."""

    label: Any
    count: int
    state: str


@dataclass(frozen=True)
class BillingState:
    """How the connection is doing. `messages_30` came within 30 days, `missed_30` of them only by our asking."""

    connection: BillingConnection
    sync: BillingSync | None
    stages: list[StageRow]
    checked: BillingSync | None
    compared: BillingSync | None
    messages_30: int
    missed_30: int
    waiting: int
    parked: int
    differences: int
    is_quiet: bool

    @property
    def is_unproven(self) -> bool:
        """What came last was not proven to be the provider's."""
        came, proven = self.connection.unproven_at, self.connection.last_message_at
        return came is not None and (proven is None or came > proven)

    @property
    def is_clock_wrong(self) -> bool:
        return self.connection.unproven_reason == OTHER_TIME

    @property
    def is_syncing(self) -> bool:
        return self.sync is not None and self.sync.state == BillingSync.State.RUNNING


def connection() -> BillingConnection | None:
    return BillingConnection.objects.filter(disconnected_at__isnull=True).first()


def billing_state(connected: BillingConnection, now: datetime) -> BillingState:
    syncs = BillingSync.objects.filter(connection=connected).order_by("-started_at")
    first = syncs.filter(kind=BillingSync.Kind.FIRST).first()
    done = syncs.filter(state=BillingSync.State.DONE)
    recent = Q(received_at__gt=now - timedelta(days=30))
    counts = BillingMessage.objects.aggregate(
        all=Count("pk", filter=recent),
        missed=Count("pk", filter=recent & Q(was_listed=True)),
        waiting=Count("pk", filter=Q(processed_at__isnull=True, parked_at__isnull=True)),
        parked=Count("pk", filter=Q(processed_at__isnull=True, parked_at__isnull=False)),
    )
    last = connected.last_message_at
    return BillingState(
        connection=connected,
        sync=first,
        stages=_stages(first),
        checked=done.filter(kind=BillingSync.Kind.MESSAGES).first(),
        compared=done.filter(kind=BillingSync.Kind.LEDGER).first(),
        messages_30=counts["all"],
        missed_30=counts["missed"],
        waiting=counts["waiting"],
        parked=counts["parked"],
        differences=BillingDifference.objects.filter(resolved_at__isnull=True).count(),
        is_quiet=last is not None and last < now - QUIET,
    )


def _stages(sync: BillingSync | None) -> list[StageRow]:
    if sync is None:
        return []
    names = [name for name, _label in STAGES]
    current = sync.cursor.get("stage", names[0]) if sync.state != BillingSync.State.DONE else "done"
    place = names.index(current) if current in names else len(names)
    return [
        StageRow(
            label, sync.counts.get(name, 0), "done" if at < place else "running" if at == place else "waiting"
        )
        for at, (name, label) in enumerate(STAGES)
    ]


def mirrored() -> dict[str, int]:
    """Rows of the mirror that came from the provider."""
    mine = {"provider": "stripe"}
    return {
        "prices": Plan.objects.exclude(external_id="").count(),
        "customers": BillingCustomer.objects.filter(is_deleted=False).count(),
        "subscriptions": Subscription.objects.filter(**mine).count(),
        "invoices": Invoice.objects.filter(**mine).count(),
        "charges": PaymentAttempt.objects.exclude(external_id="").count(),
    }


def parked_messages() -> Any:
    """Messages that nobody could work on, oldest first; without their text, which may name people."""
    parked = BillingMessage.objects.filter(processed_at__isnull=True, parked_at__isnull=False)
    return parked.defer("body").order_by("pk")


def why(row: BillingMessage) -> str:
    """Why a message was set aside, in words: the provider's own, or what happened here."""
    if row.last_error == "its worker died":
        return gettext("The program that worked on it was stopped each time.")
    if row.last_error.isidentifier():  # the name of an error of ours
        return gettext("An error of this program (%(name)s); its place is in the log.") % {
            "name": row.last_error
        }
    return row.last_error or "–"


_ADVICE: dict[str, Any] = {
    BillingDifference.Kind.MISSING_HERE: _("Stripe has it, and it could not be read: look whether rights are missing."),
    BillingDifference.Kind.MISSING_THERE: _("Deleted at Stripe, as test data and drafts can be, or of a company that was connected before. Nothing has to be done; what is here stays."),
    BillingDifference.Kind.STATUS: _("Reading it afresh did not mend it: read everything anew, or tell who runs this installation."),
    BillingDifference.Kind.AMOUNT: _("Reading it afresh did not mend it: read everything anew, or tell who runs this installation."),
    BillingDifference.Kind.CHARGE_UNBOOKED: _("A try at Stripe that its invoice does not show here. It leads to no second charge: Stripe charges no invoice that is paid."),
}  # fmt: skip


def advice(row: BillingDifference) -> Any:
    """What to do about an open difference."""
    return _ADVICE[row.kind]


def differences(*, is_open: bool) -> Any:
    """Open ones, or those that reading mended, newest first."""
    return BillingDifference.objects.filter(resolved_at__isnull=is_open).order_by("-found_at", "-pk")
