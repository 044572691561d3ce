"""Acts in the queue: put off, close, hand over, undo. Each is a form first, then one act."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.access import WorkspaceRequest, requires
from accounts.models import Account
from accounts.views.returning import return_address
from health.forms.queue import AssignForm, ResolveForm, SnoozeForm
from health.models import ActionReceipt, ResolutionResult
from health.services.queue import CannotUndo, assign_accounts, resolve_accounts, snooze_accounts
from health.services.queue import undo as undo_receipt
from health.views.queue import list_again, today_of

MOST_AT_ONCE = 500
Act = Callable[[WorkspaceRequest, Any, list[Account]], tuple[ActionReceipt, str]]


@require_GET
@requires("queue.work")
def new_snooze(request: WorkspaceRequest) -> HttpResponse:
    form = SnoozeForm(today=today_of(request.membership))
    return _ask(request, form, _chosen(request, request.GET.getlist("account")), "snooze")


@require_GET
@requires("queue.work")
def new_resolution(request: WorkspaceRequest) -> HttpResponse:
    return _ask(request, ResolveForm(), _chosen(request, request.GET.getlist("account")), "resolve")


@require_GET
@requires("queue.work")
def new_assignment(request: WorkspaceRequest) -> HttpResponse:
    accounts = _chosen(request, request.GET.getlist("account"))
    current = {account.csm_id for account in accounts}
    form = AssignForm(initial={"csm": accounts[0].csm if len(current) == 1 else None})
    return _ask(request, form, accounts, "assign")


@require_POST
@requires("queue.work")
def snoozes(request: WorkspaceRequest) -> HttpResponse:
    form = SnoozeForm(request.POST, today=today_of(request.membership))
    return _act(request, form, _snooze, "snooze")


@require_POST
@requires("queue.work")
def resolutions(request: WorkspaceRequest) -> HttpResponse:
    return _act(request, ResolveForm(request.POST), _resolve, "resolve")


@require_POST
@requires("queue.work")
def assignments(request: WorkspaceRequest) -> HttpResponse:
    return _act(request, AssignForm(request.POST), _assign, "assign")


@require_POST
@requires("queue.work")
def undo(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Take back one act, whole."""
    receipt = get_object_or_404(ActionReceipt, public_id=public_id)
    try:
        undo_receipt(receipt=receipt, acting_user=request.user, now=timezone.now())
        messages.success(request, gettext("Undone. Everything is as it was before."))
    except CannotUndo:
        messages.warning(request, gettext("This was undone before. Nothing was changed."))
    return redirect(return_address(request, reverse("health:queue")))


def _snooze(
    request: WorkspaceRequest, form: SnoozeForm, accounts: list[Account]
) -> tuple[ActionReceipt, str]:
    until = form.chosen_day
    receipt = snooze_accounts(
        accounts=accounts,
        until=until,
        note=form.cleaned_data["note"],
        acting_user=request.user,
        now=timezone.now(),
    )
    words = ngettext(
        "%(name)s snoozed until %(day)s.", "%(count)d accounts snoozed until %(day)s.", len(accounts)
    )
    return receipt, words % (_named(accounts) | {"day": date_format(until)})


def _resolve(
    request: WorkspaceRequest, form: ResolveForm, accounts: list[Account]
) -> tuple[ActionReceipt, str]:
    result = form.cleaned_data["result"]
    receipt = resolve_accounts(
        accounts=accounts,
        result=result,
        note=form.cleaned_data["note"],
        acting_user=request.user,
        now=timezone.now(),
    )
    words = ngettext(
        "%(name)s resolved: %(result)s.", "%(count)d accounts resolved: %(result)s.", len(accounts)
    )
    return receipt, words % (_named(accounts) | {"result": ResolutionResult(result).label})


def _assign(
    request: WorkspaceRequest, form: AssignForm, accounts: list[Account]
) -> tuple[ActionReceipt, str]:
    csm = form.cleaned_data["csm"]
    receipt = assign_accounts(accounts=accounts, csm=csm, acting_user=request.user, now=timezone.now())
    if csm is None:
        words = ngettext("%(name)s has no CSM now.", "%(count)d accounts have no CSM now.", len(accounts))
        return receipt, words % _named(accounts)
    words = ngettext(
        "%(name)s assigned to %(csm)s.", "%(count)d accounts assigned to %(csm)s.", len(accounts)
    )
    return receipt, words % (_named(accounts) | {"csm": csm})


def _named(accounts: list[Account]) -> dict[str, Any]:
    return {"name": accounts[0].name, "count": len(accounts)}


def _chosen(request: WorkspaceRequest, public_ids: list[str]) -> list[Account]:
    """The accounts named by the form, each of them; an unknown one is a missing page."""
    wanted = list(dict.fromkeys(public_ids))
    if not wanted or len(wanted) > MOST_AT_ONCE:
        raise Http404
    try:
        found = list(
            Account.objects.filter(public_id__in=wanted).select_related("csm__user").order_by("name", "id")
        )
    except ValidationError:
        raise Http404 from None
    if len(found) != len(wanted):
        raise Http404
    return found


def _ask(
    request: WorkspaceRequest, form: forms.Form, accounts: list[Account], act: str, status: int = 200
) -> HttpResponse:
    """The form of an act: in the dialog, or as a page of its own."""
    here = return_address(request, reverse("health:queue"))
    context = {"form": form, "accounts": accounts, "act": act, "here": here, "swaps_list": _is_queue(here)}
    if not request.htmx:
        return render(request, "health/queue_act.html", context, status=status)
    response = render(request, "health/parts/queue_act.html", context, status=status)
    response["HX-Retarget"], response["HX-Reswap"] = "#dialog-content", "innerHTML"
    return response


def _act(request: WorkspaceRequest, form: Any, act: Act, name: str) -> HttpResponse:
    accounts = _chosen(request, request.POST.getlist("account"))
    if not form.is_valid():
        return _ask(request, form, accounts, name, status=422)
    receipt, words = act(request, form, accounts)
    messages.success(
        request, words, extra_tags=f"undo:{reverse('health:queue_undo', args=[receipt.public_id])}"
    )
    here = return_address(request, reverse("health:queue"))
    return list_again(request, here) if request.htmx and _is_queue(here) else redirect(here)


def _is_queue(address: str) -> bool:
    return address.partition("?")[0] == reverse("health:queue")
