"""The values of the placeholders that every text may use."""

from __future__ import annotations

from django.utils.formats import date_format

from accounts.mail_texts.about import About
from accounts.models import Subscription, User
from accounts.queries.branding import branding_of_workspace


def first_name(about: About) -> str | None:
    """In Korean a person is called by the whole name; elsewhere by its first word."""
    name = about.contact.name.strip()
    if about.language == "ko" or not name:
        return name or None
    return name.split()[0].rstrip(",") or None


def full_name(about: About) -> str | None:
    return about.contact.name.strip() or None


def account_name(about: About) -> str | None:
    return about.contact.account.name


def workspace_name(about: About) -> str | None:
    return about.workspace.name


def _csm(about: About) -> User | None:
    membership = about.contact.account.csm
    return membership.user if membership and membership.is_active else None


def csm_name(about: About) -> str | None:
    csm = _csm(about)
    return csm.name if csm else None


def csm_email(about: About) -> str | None:
    csm = _csm(about)
    return csm.email if csm else None


def sender_name(about: About) -> str | None:
    """Who writes: the user who pressed send, else the CSM, else the workspace."""
    person = about.sender or _csm(about)
    if person and person.name:
        return person.name
    branding = branding_of_workspace()
    return (branding.from_name if branding else "") or about.workspace.name


def sender_email(about: About) -> str | None:
    person = about.sender or _csm(about)
    return person.email if person else None


def plan_name(about: About) -> str | None:
    running = _running(about)
    return running.plan.name if running and running.plan else None


def renewal_date(about: About) -> str | None:
    running = _running(about)
    if running is None or running.renews_at is None or running.renews_at <= about.now:
        return None
    return date_format(running.renews_at.astimezone(about.workspace.zone), "DATE_FORMAT")


def _running(about: About) -> Subscription | None:
    """The running subscription that renews next."""
    rows = Subscription.objects.filter(account=about.contact.account).select_related("plan")
    running = [
        s
        for s in rows.order_by("renews_at", "pk")
        if s.started_at <= about.now and (not s.ended_at or s.ended_at > about.now)
    ]
    return running[0] if running else None
