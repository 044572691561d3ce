"""The policy editor: draft, live preview over past failures, publish, versions, roll back."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, allows, requires
from dunning.forms.policy import PayDayRow, PolicyForm
from dunning.models import DunningPolicy, DunningPolicyVersion
from dunning.policy.parsing import PolicyError, parse_policy
from dunning.queries import policy_page
from dunning.queries.policy_changes import changes
from dunning.queries.policy_simulation import PAST, reasons, simulate
from dunning.services import policies
from dunning.services.notice_sequence import notices_in_words


@requires("dunning.view")
def policy(request: WorkspaceRequest) -> HttpResponse:
    """The editor. POST: "preview" answers the effect, "draft" keeps what was typed, "publish" puts it in force."""
    live = policies.version_in_force()
    draft = policies.draft_of(live.policy)
    currency = request.membership.workspace.report_currency
    if request.method == "POST":
        if not allows(request.membership, "dunning.configure"):
            return render(request, "403.html", status=403)
        return _posted(request, live, PolicyForm.of_request(request.POST, currency=currency))
    form = PolicyForm.of_definition((draft or live).definition, currency=currency)
    return _page(request, live, form, has_draft=draft is not None)


def _posted(request: WorkspaceRequest, live: DunningPolicyVersion, form: PolicyForm) -> HttpResponse:
    act = request.POST.get("do", "preview")
    if act == "publish":
        return _publish(request, live, form)
    has_draft = _keep(request, live, form)
    if request.htmx:
        return _page(request, live, form, has_draft=has_draft)
    if act == "draft":
        messages.success(request, gettext("Draft saved. Nothing changes for anybody until you publish it."))
    return redirect("dunning:policy")


def _keep(request: WorkspaceRequest, live: DunningPolicyVersion, form: PolicyForm) -> bool:
    """Store what was typed, unless it is what is in force; says whether there is a draft."""
    typed = form.definition()
    in_force = PolicyForm.of_definition(live.definition, currency=form.currency).definition()
    if typed == in_force and policies.draft_of(live.policy) is None:
        return False
    policies.save_draft(policy=live.policy, definition=typed, acting_user=request.user)
    return True


def _publish(request: WorkspaceRequest, live: DunningPolicyVersion, form: PolicyForm) -> HttpResponse:
    try:
        version = policies.publish(
            policy=live.policy,
            definition=form.definition(),
            note=request.POST.get("note", "").replace("\x00", "")[:300],
            acting_user=request.user,
            now=timezone.now(),
        )
    except PolicyError:
        policies.save_draft(policy=live.policy, definition=form.definition(), acting_user=request.user)
        messages.error(
            request, gettext("Not published: some values need correcting. Nothing you typed is lost.")
        )
        return _page(request, live, form, has_draft=True, status=422)
    messages.success(
        request,
        gettext("Version %(number)d is in force for cases that open from now on.")
        % {"number": version.number},
        extra_tags=f"undo:{reverse('dunning:policy_rollback', args=[live.public_id])}",
    )
    return redirect("dunning:policy")


def _page(
    request: WorkspaceRequest,
    live: DunningPolicyVersion,
    form: PolicyForm,
    *,
    has_draft: bool,
    status: int = 200,
) -> HttpResponse:
    effect = _effect(request, live, form)  # first: it puts mistakes beside their fields
    context = {
        "live": live,
        "form": form,
        "has_draft": has_draft,
        "can_edit": allows(request.membership, "dunning.configure"),
        "note": request.POST.get("note", ""),
        "effect": effect,
        "mistakes": policy_page.mistakes(form),
        "days": PAST.days,
    }
    if request.htmx and request.method == "POST":
        return render(request, "dunning/parts/policy_effect.html", context, status=status)
    context |= {
        "sections": policy_page.sections(form),
        "classes": policy_page.class_rows(form),
        "codes": policy_page.code_rows(form),
        "class_choices": policy_page.class_choices(),
        "notice_choices": policy_page.notice_choices(),
        "notices": notices_in_words(),
        "pay_rows": [*form.pay_days, PayDayRow("", "")],
        "versions": DunningPolicyVersion.objects.filter(policy=live.policy, published_at__isnull=False)
        .select_related("published_by")
        .order_by("-number")[:20],
    }
    return render(request, "dunning/policy.html", context, status=status)


def _effect(
    request: WorkspaceRequest, live: DunningPolicyVersion, form: PolicyForm
) -> dict[str, object] | None:
    """What the typed policy changes, and would have done with past failures; None while it has mistakes."""
    try:
        typed = parse_policy(form.definition())
    except PolicyError as error:
        form.show(error.problems)
        return None
    in_force, workspace = policies.definition_of(live), request.membership.workspace
    found = simulate(in_force, typed, now=timezone.now(), zone=workspace.zone)
    return {
        "changes": changes(in_force, typed, currency=form.currency),
        "simulation": found,
        "reasons": reasons(found),
    }


@require_POST
@requires("dunning.configure")
def policy_rollback(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Put an older version in force again."""
    version = get_object_or_404(
        DunningPolicyVersion.objects.select_related("policy"), public_id=public_id, published_at__isnull=False
    )
    restored = policies.roll_back(version=version, acting_user=request.user, now=timezone.now())
    messages.success(
        request,
        gettext("Version %(old)d is in force again, as version %(new)d.")
        % {"old": version.number, "new": restored.number},
    )
    return redirect("dunning:policy")


@require_POST
@requires("dunning.configure")
def policy_draft_discard(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    policy = get_object_or_404(DunningPolicy, public_id=public_id)
    policies.discard_draft(policy=policy, acting_user=request.user)
    messages.success(request, gettext("The draft is gone; what is in force has not changed."))
    return redirect("dunning:policy")
