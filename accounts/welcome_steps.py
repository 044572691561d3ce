"""The first days of a workspace: the steps of this app's part of the checklist."""

from __future__ import annotations

from datetime import datetime

from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import Account, Invitation, Membership, Workspace
from accounts.registry import StepFacts, WelcomeStep, welcome_steps


def _accounts(workspace: Workspace, now: datetime) -> StepFacts:
    count = Account.objects.count()
    words = ngettext("%(count)s account", "%(count)s accounts", count)
    return StepFacts(count > 0, words % {"count": number_format(count, force_grouping=True)} if count else "")


def _people(workspace: Workspace, now: datetime) -> StepFacts:
    members = Membership.objects.filter(is_active=True).count()
    waiting = Invitation.objects.filter(
        accepted_at__isnull=True, revoked_at__isnull=True, expires_at__gt=now
    ).count()
    words = ngettext("%(count)s person", "%(count)s people", members) % {"count": members}
    if waiting:
        invited = ngettext("%(count)s invitation is open", "%(count)s invitations are open", waiting)
        words = f"{words}, {invited % {'count': waiting}}"
    return StepFacts(members > 1 or waiting > 0, words if members > 1 or waiting else "")


def register() -> None:
    welcome_steps.register(
        WelcomeStep(
            "accounts",
            _("Bring your customers in"),
            _("A CSV file from your CRM or billing is enough. You see what would be written before it is."),
            _("Import accounts"),
            "accounts:import_new",
            _accounts,
            permission="imports.run",
            order=10,
        )
    )
    welcome_steps.register(
        WelcomeStep(
            "people",
            _("Invite your team"),
            _("Customer-success managers get their own queue; colleagues who only look are viewers."),
            _("Invite people"),
            "accounts:members",
            _people,
            permission="members.manage",
            order=30,
        )
    )
