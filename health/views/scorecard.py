"""The scorecard editor: draft, live preview, publish, versions, roll back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, allows, requires
from accounts.models import Account, Job, SegmentMembership
from accounts.tasks import nudge
from cs_platform.lib.ids import read_uuid
from health.forms.scorecard import DIRECTIONS, MISSING, ScorecardForm
from health.metrics.catalogue import is_metric
from health.models import AccountState, Scorecard, ScorecardVersion
from health.queries.cards import own_rows
from health.queries.in_force import published_version
from health.queries.scorecard import Preview, customers_only, latest_day, metric_choices, preview
from health.queries.sections import health_tabs
from health.services import scorecards

if TYPE_CHECKING:
    from health.scoring import ScorecardDefinition


@requires("health.view")
def scorecard(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """The editor. POST: "preview" answers the form and its effect, "draft" keeps it, "publish" puts it in force."""
    card = get_object_or_404(Scorecard, public_id=public_id)
    live, draft = scorecards.newest_published(card), scorecards.draft_of(card)
    if request.method == "POST":
        return _posted(request, card, live)
    shown = draft or live
    form = ScorecardForm.of_definition(shown.definition if shown else {"measures": []})
    return _page(request, card, live, form, has_draft=draft is not None)


def _posted(request: WorkspaceRequest, card: Scorecard, live: ScorecardVersion | None) -> HttpResponse:
    if not allows(request.membership, "health.configure"):
        return render(request, "403.html", status=403)
    form = ScorecardForm.of_request(request.POST)
    act = request.POST.get("do", "preview")
    if act == "publish":
        return _publish(request, card, live, form)
    has_draft = _keep(request, card, live, form)
    if request.htmx:
        return _page(request, card, live, form, has_draft=has_draft)
    if act == "draft":
        messages.success(request, gettext("Draft saved. Nothing changes for anybody until you publish it."))
    example = request.POST.get("example", "")
    return redirect(f"{reverse('health:scorecard', args=[card.public_id])}?example={example}#measures")


def _keep(
    request: WorkspaceRequest, card: Scorecard, live: ScorecardVersion | None, form: ScorecardForm
) -> bool:
    """Store what was typed, unless it is what is in force; says whether there is a draft."""
    typed = form.definition()
    in_force = ScorecardForm.of_definition(live.definition).definition() if live else None
    if typed == in_force and scorecards.draft_of(card) is None:
        return False
    scorecards.save_draft(card=card, definition=typed, acting_user=request.user)
    return True


def _publish(
    request: WorkspaceRequest, card: Scorecard, live: ScorecardVersion | None, form: ScorecardForm
) -> HttpResponse:
    from health.scoring import DefinitionError

    try:
        version = scorecards.publish(
            card=card,
            definition=form.definition(),
            note=request.POST.get("note", "")[:300],
            acting_user=request.user,
            now=timezone.now(),
        )
    except DefinitionError as error:
        form.show(error.problems)
        scorecards.save_draft(card=card, definition=form.definition(), acting_user=request.user)
        messages.error(
            request, gettext("Not published: some values need correcting. Nothing you typed is lost.")
        )
        return _page(request, card, live, form, has_draft=True, status=422)
    nudge()
    undo = f"undo:{reverse('health:scorecard_rollback', args=[live.public_id])}" if live else ""
    messages.success(
        request,
        gettext("Version %(number)d is in force. Accounts are being rescored.") % {"number": version.number},
        extra_tags=undo,
    )
    return redirect("health:scorecard", card.public_id)


def _page(
    request: WorkspaceRequest,
    card: Scorecard,
    live: ScorecardVersion | None,
    form: ScorecardForm,
    *,
    has_draft: bool,
    status: int = 200,
) -> HttpResponse:
    effect, shares = _effect(request, card, live, form)
    context = {
        "tabs": health_tabs("scorecard"),
        "card": card,
        "live": live,
        "form": form,
        "has_draft": has_draft,
        "effect": effect,
        "rows": [
            {
                "at": at,
                "row": row,
                "name": f"m{at}-weight",
                "share": "" if share is None else f"{share:.0f} %",
            }
            for at, (row, share) in enumerate(zip(form.measures, shares, strict=True))
        ],
        "weight_total": sum(_weight(row.values.get("weight")) for row in form.measures),
        "metric_groups": metric_choices(),
        "directions": DIRECTIONS,
        "missing_rules": MISSING,
        "can_edit": allows(request.membership, "health.configure"),
        "note": request.POST.get("note", ""),
        "chosen": effect.example.public_id if effect and effect.example else read_uuid(_wanted(request)),
        "examples": _examples(card).order_by("name")[:200],
        "versions": ScorecardVersion.objects.filter(scorecard=card, published_at__isnull=False)
        .select_related("published_by")
        .order_by("-number")[:20],
        "rescoring": _is_rescoring(request),
        "rescoring_url": reverse("health:rescoring"),
    }
    part = (
        "health/parts/scorecard_effect.html"
        if request.htmx and request.method == "POST"
        else "health/scorecard.html"
    )
    return render(request, part, context, status=status)


def _effect(
    request: WorkspaceRequest, card: Scorecard, live: ScorecardVersion | None, form: ScorecardForm
) -> tuple[Preview | None, list[float | None]]:
    """What the typed definition would do on the latest day; None while it has mistakes."""
    from health.scoring import DefinitionError, parse_definition

    try:
        typed = parse_definition(form.definition(), known_metrics=is_metric)
    except DefinitionError as error:
        if not form.has_errors:
            form.show(error.problems)
        return None, [None] * len(form.measures)
    as_of = latest_day()
    in_force = live or published_version()  # a new card is compared with the default one
    if in_force is None or as_of is None:
        return None, [100 * share for share in typed.shares]
    return _compare(request, card, in_force, typed, as_of), [100 * share for share in typed.shares]


def _compare(
    request: WorkspaceRequest,
    card: Scorecard,
    live: ScorecardVersion,
    typed: ScorecardDefinition,
    as_of: Any,
) -> Preview:
    from health.scoring import parse_definition
    from health.services.scores import rows_of_table, table_for

    before = parse_definition(live.definition)
    account_ids, table = customers_only(*table_for((before, typed), as_of=as_of))
    own = own_rows(card, account_ids)
    example = _example_account(card, _wanted(request))
    return preview(before, typed, rows_of_table(table, own), account_ids[own], example, as_of)


def _wanted(request: WorkspaceRequest) -> str:
    return request.POST.get("example") or request.GET.get("example") or ""


def _examples(card: Scorecard) -> Any:
    """Customers that the card is for."""
    states = AccountState.objects.filter(is_customer=True).select_related("account")
    if card.segment_id is None:
        return states
    stays = SegmentMembership.objects.filter(segment_id=card.segment_id, left_at__isnull=True)
    return states.filter(account_id__in=stays.values("account_id"))


def _example_account(card: Scorecard, wanted: str) -> Account | None:
    chosen = Account.objects.filter(public_id=read_uuid(wanted)).first()
    if chosen is not None:
        return chosen
    first = _examples(card).order_by("-expected_loss_minor", "-account_id").first()
    return first.account if first else None


def _weight(text: Any) -> float:
    try:
        return max(0.0, float(text))
    except (TypeError, ValueError):
        return 0.0


@requires("health.view")
def rescoring(request: WorkspaceRequest) -> HttpResponse:
    """The progress block while accounts are rescored, then a word that they are."""
    if not _is_rescoring(request):
        done = gettext("All accounts are rescored.")
        return HttpResponse(f'<p class="small muted">{escape(done)}</p>')
    context = {
        "label": gettext("Accounts are being rescored with the new version…"),
        "poll_url": reverse("health:rescoring"),
    }
    return render(request, "components/progress.html", context)


def _is_rescoring(request: WorkspaceRequest) -> bool:
    jobs = Job.objects.filter(kind=scorecards.RESCORE_JOB, workspace=request.membership.workspace)
    return bool(jobs.filter(parked_at__isnull=True).exists())


@require_POST
@requires("health.configure")
def scorecard_rollback(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Put an older version in force again."""
    version = get_object_or_404(
        ScorecardVersion.objects.select_related("scorecard"), public_id=public_id, published_at__isnull=False
    )
    restored = scorecards.roll_back(version=version, acting_user=request.user, now=timezone.now())
    nudge()
    messages.success(
        request,
        gettext("Version %(old)d is in force again, as version %(new)d.")
        % {"old": version.number, "new": restored.number},
    )
    return redirect("health:scorecard", version.scorecard.public_id)


@require_POST
@requires("health.configure")
def scorecard_draft_discard(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    card = get_object_or_404(Scorecard, public_id=public_id)
    scorecards.discard_draft(card=card, acting_user=request.user)
    messages.success(request, gettext("The draft is gone; what is in force has not changed."))
    return redirect("health:scorecard", card.public_id)
