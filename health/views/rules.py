"""Risk rules: which are on, how strict they are, what the CSM should do."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from accounts.access import WorkspaceRequest, allows, requires
from accounts.tasks import nudge
from health.forms.rules import RuleForm
from health.models import Risk, RiskRule
from health.queries.scorecard import latest_day
from health.queries.sections import health_tabs
from health.risks import risk_rules
from health.services.risks import count_matches, create_default_rules
from health.services.rules import change_rule


@requires("health.view")
def rules(request: WorkspaceRequest) -> HttpResponse:
    create_default_rules()
    stored = {rule.cause: rule for rule in RiskRule.objects.all()}
    counted = Risk.objects.filter(closed_on__isnull=True).values_list("cause").annotate(Count("pk"))
    open_now = dict(counted)
    rows = [
        {"spec": spec, "rule": stored[spec.name], "open": open_now.get(spec.name, 0)}
        for spec in risk_rules
        if spec.name in stored
    ]
    context = {"tabs": health_tabs("rules"), "rows": rows, "open": sum(open_now.values())}
    return render(request, "health/rules.html", context)


@requires("health.view")
def rule(request: WorkspaceRequest, cause: str) -> HttpResponse:
    """One rule. POST "preview" counts matches with the typed values; "save" puts them in force."""
    if cause not in risk_rules:
        raise Http404
    create_default_rules()
    spec, stored = risk_rules.get(cause), RiskRule.objects.get(cause=cause)
    form = RuleForm(request.POST if request.method == "POST" else None, spec=spec, rule=stored)
    can_edit = allows(request.membership, "health.configure")
    if request.method == "POST" and not can_edit:
        return render(request, "403.html", status=403)
    if request.method == "POST" and form.is_valid() and request.POST.get("do") == "save":
        change_rule(rule=stored, values=form.values(), acting_user=request.user)
        nudge()
        messages.success(request, gettext("Saved. Risks and queue are being redone."))
        return redirect("health:rules")
    context = {
        "tabs": health_tabs("rules"),
        "spec": spec,
        "form": form,
        "can_edit": can_edit,
        "matches": _matches(cause, form, spec.settings(stored.parameters)),
    }
    part = "health/parts/rule_matches.html" if request.htmx else "health/rule.html"
    return render(request, part, context, status=422 if form.errors and not request.htmx else 200)


def _matches(cause: str, form: RuleForm, stored: dict[str, float]) -> dict[str, int] | None:
    day = latest_day()
    if day is None:
        return None
    now = count_matches(cause, stored, as_of=day)
    if not form.is_bound:
        return {"now": now, "then": now}
    return {"now": now, "then": count_matches(cause, form.settings(), as_of=day)} if form.is_valid() else None
