"""The page of a person at an account."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from accounts.access import WorkspaceRequest, allows, requires
from accounts.models import Contact
from accounts.queries.contacts import contact_page
from accounts.queries.holidays import calendar
from accounts.services.quiet_hours import closed_because, zone_of
from accounts.services.suppressions import address_hash
from accounts.views.mail_titles import title_of


@requires("accounts.view")
def contact(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Mails with their state, why one did not go, and what the person chose."""
    person = get_object_or_404(Contact.objects.select_related("account", "workspace"), public_id=public_id)
    now = timezone.now()
    page = contact_page(person, address_hash=address_hash(person.email), now=now)
    zone = zone_of(person)
    context = {
        "contact": person,
        "may_work": allows(request.membership, "accounts.work"),
        "may_manage": allows(request.membership, "settings.manage"),
        "page": page,
        "mails": [{"row": row, "title": title_of(row.email)} for row in page.mails],
        "zone": zone.key.replace("_", " "),
        "local_time": now.astimezone(zone),
        "is_resting": bool(closed_because(now, zone, calendar=calendar(now.astimezone(zone).date()))),
        "now": now,
    }
    return render(request, "accounts/contact.html", context)
