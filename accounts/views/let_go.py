"""Letting an account go on purpose, and taking that back."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, requires
from accounts.forms.notes import LetGoForm
from accounts.models import Account
from accounts.queries.let_go import open_let_go
from accounts.services import let_go as service


@requires("accounts.work")
def let_go(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Say why, then let go."""
    account = get_object_or_404(Account, public_id=public_id)
    decision = open_let_go(account)
    form = LetGoForm(
        request.POST if request.method == "POST" else None,
        initial={"note": decision.note if decision else ""},
    )
    page = f"/accounts/{account.public_id}/"
    if not form.is_valid():
        context = {"form": form, "account": account, "act": "let_go", "here": page}
        part = "accounts/parts/account_act.html" if request.htmx else "accounts/account_act.html"
        return render(request, part, context, status=422 if request.method == "POST" else 200)
    service.let_go(account=account, acting_user=request.user, now=timezone.now(), **form.cleaned_data)
    undo = reverse("accounts:let_go_withdrawals", args=[account.public_id])
    messages.success(
        request, gettext("%(name)s is let go.") % {"name": account.name}, extra_tags=f"undo:{undo}"
    )
    return redirect(page)


@require_POST
@requires("accounts.work")
def let_go_withdrawals(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    account = get_object_or_404(Account, public_id=public_id)
    service.withdraw_let_go(account=account, acting_user=request.user, now=timezone.now())
    messages.success(request, gettext("%(name)s is back in the queue’s sight.") % {"name": account.name})
    return redirect(f"/accounts/{account.public_id}/")
