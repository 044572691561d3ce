"""Settings: working days and holidays."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from accounts.access import WorkspaceRequest, requires
from accounts.forms.calendar import CalendarForm
from accounts.models import Holiday
from accounts.services.calendar import set_calendar


@requires("settings.manage")
def calendar(request: WorkspaceRequest) -> HttpResponse:
    workspace = request.membership.workspace
    lines = [f"{row.day.isoformat()} {row.name}".strip() for row in Holiday.objects.order_by("day")]
    initial = {"working_days": workspace.working_days, "holidays": "\n".join(lines)}
    form = CalendarForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        set_calendar(
            workspace=workspace,
            working_days=form.cleaned_data["working_days"],
            holidays=form.cleaned_data["holidays"],
            acting_user=request.user,
        )
        messages.success(request, gettext("Saved."))
        return redirect("accounts:calendar")
    context = {"form": form, "count": len(lines)}
    return render(request, "settings/calendar.html", context, status=422 if form.errors else 200)
