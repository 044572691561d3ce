"""Notes and touches on the account page."""

from __future__ import annotations

from datetime import datetime, time
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, requires
from accounts.forms.notes import NoteForm, TouchForm
from accounts.models import Account, Activity, Note
from accounts.services import activities, notes
from accounts.views.returning import return_address
from cs_platform.lib.periods import local_day


@requires("accounts.work")
def account_notes(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Write a note."""
    account = get_object_or_404(Account, public_id=public_id)
    form = NoteForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _ask(request, form, account, "note")
    note = notes.add_note(
        account=account,
        body=form.cleaned_data["body"],
        is_pinned=form.cleaned_data["is_pinned"],
        acting_user=request.user,
        now=timezone.now(),
    )
    undo = reverse("accounts:note_deletions", args=[note.public_id])
    messages.success(request, gettext("Note added."), extra_tags=f"undo:{undo}")
    return redirect(_page_of(account, request))


@requires("accounts.work")
def note(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Change a note."""
    found = get_object_or_404(
        Note.objects.select_related("account"), public_id=public_id, deleted_at__isnull=True
    )
    form = NoteForm(
        request.POST if request.method == "POST" else None,
        initial={"body": found.body, "is_pinned": found.is_pinned},
    )
    if request.method != "POST" or not form.is_valid():
        return _ask(request, form, found.account, "note", note=found)
    notes.edit_note(note=found, acting_user=request.user, **form.cleaned_data)
    messages.success(request, gettext("Note changed."))
    return redirect(_page_of(found.account, request))


@require_POST
@requires("accounts.work")
def note_deletions(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    found = get_object_or_404(Note.objects.select_related("account"), public_id=public_id)
    notes.delete_note(note=found, acting_user=request.user, now=timezone.now())
    undo = reverse("accounts:note_restorations", args=[found.public_id])
    messages.success(request, gettext("Note deleted."), extra_tags=f"undo:{undo}")
    return redirect(_page_of(found.account, request))


@require_POST
@requires("accounts.work")
def note_restorations(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    found = get_object_or_404(Note.objects.select_related("account"), public_id=public_id)
    notes.restore_note(note=found, acting_user=request.user)
    messages.success(request, gettext("The note is back."))
    return redirect(_page_of(found.account, request))


@requires("accounts.work")
def touches(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Write down a call, a meeting, a mail, a visit."""
    account = get_object_or_404(Account, public_id=public_id)
    zone, now = request.membership.workspace.zone, timezone.now()
    today = local_day(now, zone)
    form = TouchForm(
        request.POST if request.method == "POST" else None, account=account, initial={"occurred_on": today}
    )
    if not form.is_valid():
        return _ask(request, form, account, "touch")
    day = min(form.cleaned_data["occurred_on"], today)
    occurred_at = now if day == today else datetime.combine(day, time(12), tzinfo=zone)
    activity = activities.log_touch(
        account=account,
        kind=form.cleaned_data["kind"],
        occurred_at=occurred_at,
        contact=form.cleaned_data["contact"],
        body=form.cleaned_data["body"],
        acting_user=request.user,
    )
    undo = reverse("accounts:touch_deletions", args=[activity.public_id])
    messages.success(request, gettext("Written down."), extra_tags=f"undo:{undo}")
    return redirect(_page_of(account, request))


@require_POST
@requires("accounts.work")
def touch_deletions(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Take back a touch of one's own."""
    activity = get_object_or_404(
        Activity.objects.select_related("account"), public_id=public_id, author=request.user, source=""
    )
    account = activity.account
    activities.delete_touch(activity=activity, acting_user=request.user)
    messages.success(request, gettext("Taken back."))
    return redirect(_page_of(account, request))


def _ask(
    request: WorkspaceRequest, form: object, account: Account, act: str, note: Note | None = None
) -> HttpResponse:
    """The form in the dialog, or as a page of its own; 422 when what was sent has mistakes."""
    context = {"form": form, "account": account, "act": act, "note": note, "here": _page_of(account, request)}
    part = "accounts/parts/account_act.html" if request.htmx else "accounts/account_act.html"
    return render(request, part, context, status=422 if request.method == "POST" else 200)


def _page_of(account: Account, request: WorkspaceRequest) -> str:
    """Back to the account's page, or to the queue."""
    default = f"/accounts/{account.public_id}/"
    address = return_address(request, default)
    is_ours = address.startswith((default, "/queue/")) and "/notes/" not in address
    return address if is_ours else default
