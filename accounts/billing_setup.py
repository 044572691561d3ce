"""What the connection to a payment provider brings along: jobs, notifications, settings, first step, words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.access import register_permission
from accounts.models import BillingConnection, Invoice, Role, Workspace
from accounts.registry import (
    AuditWord,
    JobKind,
    NotificationKind,
    RetentionKind,
    SettingsPage,
    StepFacts,
    WelcomeStep,
    audit_actions,
    audit_objects,
    job_kinds,
    notification_kinds,
    retention_kinds,
    settings_pages,
    welcome_steps,
)
from accounts.services.billing_inbox import MESSAGE_JOB, PARKED_KIND, drop_messages
from accounts.services.billing_messages import REFUSED_KIND, work_message
from accounts.services.billing_reconcile import run_sync
from accounts.services.billing_rights import MISSING_KIND
from accounts.services.billing_syncs import LEASE, SYNC_JOB

PERMISSION = "billing.connect"
_ACTIONS = {
    "accounts.billing_connection.connected": _("Stripe connected"),
    "accounts.billing_connection.disconnected": _("Stripe disconnected"),
    "accounts.billing_connection.key_changed": _("Stripe key changed"),
    "accounts.billing_connection.secret_changed": _("Signing secret of Stripe's webhook changed"),
    "accounts.billing_message.dismissed": _("Parked message of Stripe dismissed"),
    "accounts.billing_message.tried_again": _("Parked message of Stripe tried again"),
    "accounts.billing_sync.requested": _("Synchronisation with Stripe asked for"),
}
_OBJECTS = {
    "accounts.billingconnection": _("Connection to Stripe"),
    "accounts.billingmessage": _("Message of Stripe"),
    "accounts.billingsync": _("Synchronisation with Stripe"),
}


def register() -> None:
    register_permission(PERMISSION, frozenset({Role.OWNER, Role.ADMIN}))
    # The handlers count failures by themselves and end; the limits here are for workers that die.
    job_kinds.register(JobKind(MESSAGE_JOB, work_message, in_scope=False, max_attempts=20))
    job_kinds.register(
        JobKind(
            SYNC_JOB, run_sync, in_scope=False, lease=LEASE, max_attempts=50, retry_after=timedelta(seconds=5)
        )
    )
    _pages()
    _notifications()
    for name, label in _ACTIONS.items():
        audit_actions.register(AuditWord(name, label))
    for name, label in _OBJECTS.items():
        audit_objects.register(AuditWord(name, label))


def _pages() -> None:
    settings_pages.register(
        SettingsPage(
            "billing",
            _("Stripe"),
            _("Connect your payments: what is mirrored, whether messages arrive, what is missing."),
            "accounts:billing",
            PERMISSION,
            41,
        )
    )
    retention_kinds.register(
        RetentionKind(
            "accounts.billing_messages",
            _("Messages of the payment provider"),
            _("That they came, and what they were about. What followed from them stays."),
            60,
            31,
            drop_messages,
        )
    )
    welcome_steps.register(
        WelcomeStep(
            "billing",
            _("Connect Stripe"),
            _("Subscriptions, invoices and failed payments come in by themselves, and are collected again."),
            _("Connect Stripe"),
            "accounts:billing",
            _connected,
            permission=PERMISSION,
            order=12,
        )
    )


def _notifications() -> None:
    notification_kinds.register(
        NotificationKind(
            PARKED_KIND,
            _("Messages of Stripe that could not be worked on"),
            _("They wait for you; everything else goes on."),
            words=_parked,
            address=lambda context, account: reverse("accounts:billing_parked"),
            icon="triangle-alert",
            permission=PERMISSION,
            order=72,
        )
    )
    notification_kinds.register(
        NotificationKind(
            REFUSED_KIND,
            _("Stripe no longer takes the key"),
            _("Nothing is collected and nothing is mirrored until there is a new one."),
            words=_refused,
            address=lambda context, account: reverse("accounts:billing"),
            icon="triangle-alert",
            permission=PERMISSION,
            order=73,
        )
    )
    notification_kinds.register(
        NotificationKind(
            MISSING_KIND,
            _("The key for Stripe lacks a right"),
            _("What needs it waits until it is added."),
            words=_right_missing,
            address=lambda context, account: reverse("accounts:billing"),
            icon="triangle-alert",
            permission=PERMISSION,
            order=74,
        )
    )


def _right_missing(context: dict[str, Any], account: Any) -> tuple[str, str]:
    return gettext("The key for Stripe lacks a right: %(right)s") % {
        "right": context.get("right", "")
    }, gettext("What needs it waits. Add it in Stripe, then press “Look again”.")


def _parked(context: dict[str, Any], account: Any) -> tuple[str, str]:
    return gettext("A message of Stripe could not be worked on"), str(context.get("type", ""))


def _refused(context: dict[str, Any], account: Any) -> tuple[str, str]:
    return gettext("Stripe no longer takes the key"), gettext(
        "Nothing is collected until there is a new one."
    )


def _connected(workspace: Workspace, now: datetime) -> StepFacts:
    """Done when it is connected; companies without Stripe bring invoices by file, which counts too."""
    connected = BillingConnection.objects.filter(disconnected_at__isnull=True).first()
    if connected is not None:
        return StepFacts(True, connected.account_name or gettext("Connected"))
    if Invoice.objects.exists():
        return StepFacts(True, gettext("Invoices come from files or the API"))
    return StepFacts(False, "")
