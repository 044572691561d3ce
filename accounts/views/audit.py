"""Settings: the audit log, its export and its verification."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from accounts.access import WorkspaceRequest, requires
from accounts.queries import audit as queries
from accounts.services.audit import verify_audit_log
from cs_platform.lib.csv_text import csv_text


@require_GET
@requires("settings.manage")
def audit_log(request: WorkspaceRequest) -> HttpResponse:
    zone, wanted = request.membership.workspace.zone, queries.AuditFilter.read(request.GET)
    page = queries.audit_page(
        wanted, zone=zone, before=_id(request.GET.get("before", "")), after=_id(request.GET.get("after", ""))
    )
    (count, is_more), people = queries.audit_count(wanted, zone), queries.people()
    context = {
        "page": page,
        "wanted": wanted,
        "count": count,
        "is_more": is_more,
        "people": people,
        "who_label": gettext("the system") if wanted.who == "system" else dict(people).get(wanted.who, ""),
        "actions": queries.actions(),
        "action_words": queries.words_of(wanted.action),
        "object_words": queries.object_words(wanted.object),
        "older_url": _address(request.GET, before=page.older),
        "newer_url": _address(request.GET, after=page.newer),
        "filter_query": _address(request.GET, keep=True).removeprefix("?"),
    }
    return render(request, "settings/audit.html", context)


@require_GET
@requires("settings.manage")
def audit_export(request: WorkspaceRequest) -> HttpResponse:
    wanted = queries.AuditFilter.read(request.GET)
    rows = queries.audit_export(wanted, request.membership.workspace.zone)
    headers = [_("When"), _("Who"), _("What"), _("Code"), _("Of what"), _("Details")]
    text = csv_text(
        [str(header) for header in headers],
        [
            (
                row.created_at.isoformat(),
                row.actor,
                row.action_words,
                row.action,
                row.object,
                json.dumps(row.data, ensure_ascii=False),
            )
            for row in rows
        ],
    )
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="audit-log.csv"'
    return response


@require_POST
@requires("settings.manage")
def audit_verification(request: WorkspaceRequest) -> HttpResponse:
    """Walk the whole chain now and say what it is worth."""
    found = verify_audit_log()
    values = {"n": found.entries, "id": found.broken_id}
    if found.is_sound:
        messages.success(
            request, gettext("Verified: all %(n)d entries follow from each other, none is missing.") % values
        )
    elif found.broken_id is not None:
        messages.error(
            request,
            gettext(
                "Entry %(id)d does not follow from the one before it: it was changed, or one before it was"
                " removed. The %(n)d entries before are sound."
            )
            % values,
        )
    else:
        messages.error(
            request,
            gettext("Entries are missing at the end of the log. The %(n)d that are left are sound.") % values,
        )
    return redirect("accounts:audit_log")


def _id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _address(query: QueryDict, *, keep: bool = False, **cursor: int | None) -> str:
    """The same filter at another place; empty where there is none."""
    wanted = query.copy()
    for name in ("before", "after"):
        wanted.pop(name, None)
    for name, value in cursor.items():
        if value is None:
            return ""
        wanted[name] = str(value)
    return f"?{wanted.urlencode()}" if wanted or keep else ""
