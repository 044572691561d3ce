"""The policy editor: draft, live preview over past failures, publish, and each version to look at."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from accounts.access import WorkspaceRequest, allows, requires
from dunning.forms.policy import PayDayRow, PolicyForm
from dunning.models import DunningPolicyVersion
from dunning.policy.advice_table import advice_rows
from dunning.policy.parsing import PolicyError, parse_policy
from dunning.queries import policy_page
from dunning.queries.policy_changes import changes
from dunning.queries.policy_simulation import PAST, reasons, simulate
from dunning.queries.policy_versions import Clash, clash_with, notices_without_room, version_lines
from dunning.services import policies
from dunning.services.notice_sequence import ACTION, NoticesInWords, notices_in_words


@requires("dunning.view")
def policy(request: WorkspaceRequest) -> HttpResponse:
    """The editor. POST: "preview" answers the effect, "draft" keeps what was typed, "publish" puts it in force.

    A POST names the state that its page was opened on (`seen`); where another person has written since, nothing is
    kept, and the page comes back with what was typed and how it differs from theirs. "overwrite" keeps it all the
    same, if theirs is still what was shown then (`theirs`).
    """
    live = policies.version_in_force()
    currency = request.membership.workspace.report_currency
    if request.method == "POST":
        if not allows(request.membership, "dunning.configure"):
            return render(request, "403.html", status=403)
        return _posted(request, live, PolicyForm.of_request(request.POST, currency=currency))
    shown = _asked_for(request, live)
    version = shown or policies.draft_of(live.policy) or live
    return _page(request, live, PolicyForm.of_definition(version.definition, currency=currency), shown=shown)


def _asked_for(request: WorkspaceRequest, live: DunningPolicyVersion) -> DunningPolicyVersion | None:
    """The published version that the address names, to be looked at; 404 where there is none."""
    number = request.GET.get("version", "")
    if not number:
        return None
    rows = DunningPolicyVersion.objects.filter(policy=live.policy, published_at__isnull=False)
    if not number.isascii() or not number.isdigit() or len(number) > 6:
        raise Http404
    return get_object_or_404(rows, number=int(number))


def _posted(request: WorkspaceRequest, live: DunningPolicyVersion, form: PolicyForm) -> HttpResponse:
    act = request.POST.get("do", "preview")
    try:
        if act == "publish":
            return _publish(request, live, form)
        _keep(request, live, form)
    except policies.ChangedMeanwhile as changed:
        clash = clash_with(changed.version, form.definition(), currency=form.currency)
        if not request.htmx:
            messages.error(request, gettext("Not saved: somebody else changed the policy meanwhile."))
        return _page(request, live, form, clash=clash, status=200 if request.htmx else 409)
    if request.htmx:
        return _page(request, live, form)
    if act in ("draft", "overwrite"):
        messages.success(request, gettext("Draft saved. Nothing changes for anybody until you publish it."))
    return redirect("dunning:policy")


def _keep(request: WorkspaceRequest, live: DunningPolicyVersion, form: PolicyForm) -> None:
    """Store what was typed, unless it is what is in force."""
    typed = form.definition()
    in_force = PolicyForm.of_definition(live.definition, currency=form.currency).definition()
    if typed == in_force and policies.draft_of(live.policy) is None:
        return
    policies.save_draft(policy=live.policy, definition=typed, acting_user=request.user, seen=_seen(request))


def _seen(request: WorkspaceRequest) -> str:
    """What the person has seen: the state of the page, or what was shown to them as somebody else's."""
    name = "theirs" if request.POST.get("do") == "overwrite" else "seen"
    return request.POST.get(name, "")[:40]


def _publish(request: WorkspaceRequest, live: DunningPolicyVersion, form: PolicyForm) -> HttpResponse:
    try:
        version = policies.publish(
            policy=live.policy,
            definition=form.definition(),
            note=request.POST.get("note", "").replace("\x00", "")[:300],
            acting_user=request.user,
            now=timezone.now(),
            seen=_seen(request),
        )
    except PolicyError:
        _keep(request, live, form)
        messages.error(
            request, gettext("Not published: some values need correcting. Nothing you typed is lost.")
        )
        return _page(request, live, form, status=422)
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
    clash: Clash | None = None,
    shown: DunningPolicyVersion | None = None,
    status: int = 200,
) -> HttpResponse:
    notices, draft = notices_in_words(), policies.draft_of(live.policy)
    effect = _effect(request, live, form, notices)  # first: it puts mistakes beside their fields
    can_configure = allows(request.membership, "dunning.configure")
    is_part, state = bool(request.htmx) and request.method == "POST", policies.state_of(live, draft)
    context = {
        "live": live,
        "form": form,
        "draft": draft,
        "shown": shown,
        "clash": clash,
        # After a clash the page keeps the old state: only the button for it puts one's own over theirs.
        "seen": _seen(request) if clash else state,
        "theirs": state,
        "can_configure": can_configure,
        "can_edit": can_configure and shown is None,
        "note": request.POST.get("note", ""),
        "effect": effect,
        "mistakes": policy_page.mistakes(form),
        "days": PAST.days,
        "is_part": is_part,
        "sections": policy_page.sections(form),
    }
    if is_part:
        return render(request, "dunning/parts/policy_effect.html", context, status=status)
    context |= {
        "classes": policy_page.class_rows(form),
        "codes": policy_page.code_rows(form),
        "advice": advice_rows(),
        "class_choices": policy_page.class_choices(),
        "notice_choices": policy_page.notice_choices(),
        "notices": notices,
        "pay_rows": [*form.pay_days, PayDayRow("", "")],
        "pay_days_usual": policy_page.pay_days_usual(),
        "versions": version_lines(live.policy, currency=form.currency),
    }
    return render(request, "dunning/policy.html", context, status=status)


def _effect(
    request: WorkspaceRequest, live: DunningPolicyVersion, form: PolicyForm, notices: NoticesInWords | None
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
        "without_room": notices_without_room(notices.definition, typed, action=ACTION) if notices else 0,
        "typed": typed,
    }
