"""Who looks after which account: rules in order, a preview with names, and a run that can be undone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, allows, requires
from accounts.forms.rule_draft import Draft
from health.forms.assignment import PolicyForm, RuleForm
from health.models import AssignmentRule
from health.queries.assignment import SCOPES, desks_now, make_plan, policy, recent_runs, rule_rows
from health.services import assignment as service


@requires("accounts.view")
def assignment(request: WorkspaceRequest) -> HttpResponse:
    """Rules, capacities and, with ?scope=, what a run would do now."""
    return _page(request)


def _page(request: WorkspaceRequest, form: PolicyForm | None = None, status: int = 200) -> HttpResponse:
    currency = request.membership.workspace.report_currency
    scope = request.GET.get("scope", "")
    desks = desks_now()
    context: dict[str, Any] = {
        "rules": rule_rows(currency=currency),
        "form": form or PolicyForm(policy=policy(), desks=desks, currency=currency),
        "desks": desks,
        "currency": currency,
        "scope": scope if scope in SCOPES else "",
        "plan": make_plan(scope=scope, now=timezone.now()) if scope in SCOPES else None,
        "runs": recent_runs(),
        "can_edit": allows(request.membership, "accounts.configure"),
        "here": request.path,
    }
    return render(request, "health/assignment.html", context, status=status)


@require_POST
@requires("accounts.configure")
def assignment_settings(request: WorkspaceRequest) -> HttpResponse:
    currency = request.membership.workspace.report_currency
    form = PolicyForm(request.POST, policy=policy(), desks=desks_now(), currency=currency)
    if not form.is_valid():
        return _page(request, form, status=422)
    service.save_policy(
        high_value_arr_minor=form.cleaned_data["high_value"],
        is_nightly=form.cleaned_data["is_nightly"],
        capacities=form.capacities(),
        acting_user=request.user,
    )
    messages.success(request, gettext("Saved. Nobody was handed on; run the rules for that."))
    return redirect("health:assignment")


@require_POST
@requires("accounts.configure")
def assignment_runs(request: WorkspaceRequest) -> HttpResponse:
    """Do exactly what was shown, as one act."""
    scope = request.POST.get("scope", "")
    scope = scope if scope in SCOPES else "unassigned"
    try:
        receipt = service.run_assignment(
            scope=scope,
            token=request.POST.get("token", ""),
            acting_user=request.user,
            now=timezone.now(),
        )
    except service.PlanChanged:
        messages.warning(
            request, gettext("Something has changed since the preview. Nothing was done; look again.")
        )
        return redirect(f"{reverse('health:assignment')}?scope={scope}#preview")
    if receipt is None:
        messages.info(request, gettext("There was nothing to hand out."))
        return redirect("health:assignment")
    words = ngettext("%(n)d account handed out.", "%(n)d accounts handed out.", receipt.accounts)
    messages.success(
        request,
        words % {"n": receipt.accounts},
        extra_tags=f"undo:{reverse('health:queue_undo', args=[receipt.public_id])}",
    )
    return redirect("health:assignment")


@requires("accounts.configure")
def new_assignment_rule(request: WorkspaceRequest) -> HttpResponse:
    return _rule(request, None, RuleForm(request.POST or None))


@requires("accounts.configure")
def assignment_rule(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    rule = get_object_or_404(AssignmentRule, public_id=public_id)
    initial = {
        "name": rule.name,
        "tree": rule.tree,
        "is_enabled": rule.is_enabled,
        "pool": [place.member.public_id for place in rule.pool.select_related("member")],
    }
    form = RuleForm(request.POST or None, rule=rule, initial=initial)
    return _rule(request, rule, form)


def _rule(request: WorkspaceRequest, rule: AssignmentRule | None, form: RuleForm) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        service.save_rule(
            rule=rule,
            name=values["name"],
            tree=values["tree"],
            pool=list(values["pool"]),
            is_enabled=values["is_enabled"],
            acting_user=request.user,
        )
        messages.success(request, gettext("Saved. Nobody was handed on; run the rules for that."))
        return redirect("health:assignment")
    value = form["tree"].value() if form.is_bound else None
    acted = isinstance(value, Draft) and value.acted
    context = {"form": form, "rule": rule}
    status = 422 if form.is_bound and not acted else 200
    return render(request, "health/assignment_rule.html", context, status=status)


@require_POST
@requires("accounts.configure")
def assignment_rule_moves(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    rule = get_object_or_404(AssignmentRule, public_id=public_id)
    service.move_rule(rule=rule, up=request.POST.get("to") == "up", acting_user=request.user)
    return redirect("health:assignment")


@require_POST
@requires("accounts.configure")
def assignment_rule_deletions(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    rule = get_object_or_404(AssignmentRule, public_id=public_id)
    service.delete_rule(rule=rule, acting_user=request.user)
    messages.success(request, gettext("The rule is deleted. Accounts keep the CSM they have."))
    return redirect("health:assignment")
