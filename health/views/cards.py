"""All scorecards: which segment each is for, in which order; added, arranged, taken out of use."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, allows, requires
from accounts.models import Segment
from accounts.tasks import nudge
from health.forms.cards import ArrangementForm, NewCardForm
from health.queries.cards import Rearranged, card_rows, rearranged
from health.queries.sections import health_tabs
from health.services import cards as service

UNDO_SALT = "health.scorecards.arranged"


@requires("health.view")
def scorecards(request: WorkspaceRequest) -> HttpResponse:
    """The list. POST "preview" counts what the typed arrangement would do, "apply" puts it in force."""
    if request.method != "POST":
        return _page(request, NewCardForm())
    if not allows(request.membership, "health.configure"):
        return render(request, "403.html", status=403)
    form = ArrangementForm([row.card for row in card_rows()], request.POST.dict())
    wanted = form.places()
    if wanted is None:
        return _page(request, NewCardForm(), arrangement=form, status=422)
    if request.POST.get("do") != "apply":
        return _page(request, NewCardForm(), arrangement=form, effect=rearranged(wanted))
    effect = rearranged(wanted)
    try:
        before = service.arrange(wanted=wanted, acting_user=request.user, now=timezone.now())
    except service.SegmentUnfit as error:
        messages.error(request, _unfit(error))
        return _page(request, NewCardForm(), arrangement=form, status=422)
    nudge()
    was = signing.dumps([request.membership.workspace.pk, service.as_data(before)], salt=UNDO_SALT)
    words = ngettext(
        "Saved. %(n)d account is scored by another card now.",
        "Saved. %(n)d accounts are scored by another card now.",
        effect.moved,
    )
    undo = f"undo:{reverse('health:scorecards_undo')}?was={was}"
    messages.success(request, words % {"n": effect.moved}, extra_tags=undo)
    return redirect("health:scorecards")


@require_POST
@requires("health.configure")
def new_scorecard(request: WorkspaceRequest) -> HttpResponse:
    """Add a card as a copy; it opens in its editor."""
    form = NewCardForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        card = service.add_card(acting_user=request.user, now=timezone.now(), **form.cleaned_data)
    except service.SegmentUnfit as error:
        form.add_error("segment", _unfit(error))
        return _page(request, form, status=422)
    messages.success(request, gettext("The card is a draft: it scores nobody until you publish it."))
    return redirect("health:scorecard", card.public_id)


@require_POST
@requires("health.configure")
def scorecards_undo(request: WorkspaceRequest) -> HttpResponse:
    """Put the arrangement of before back."""
    try:
        workspace_id, data = signing.loads(request.GET.get("was", ""), salt=UNDO_SALT, max_age=24 * 3600)
    except signing.BadSignature:
        workspace_id, data = None, []
    if workspace_id != request.membership.workspace.pk:
        messages.warning(request, gettext("This can no longer be undone. Nothing was changed."))
        return redirect("health:scorecards")
    try:
        service.arrange(wanted=service.of_data(data), acting_user=request.user, now=timezone.now())
        nudge()
        messages.success(request, gettext("Undone. Everything is as it was before."))
    except service.SegmentUnfit as error:
        messages.error(request, _unfit(error))
    return redirect("health:scorecards")


def _unfit(error: service.SegmentUnfit) -> str:
    words = gettext(
        "“%(name)s” cannot carry a scorecard: publish its rule first, and let it not ask for the score"
        " or what follows from it."
    )
    return words % {"name": error.segment.name}


def _page(
    request: WorkspaceRequest,
    form: NewCardForm,
    *,
    arrangement: ArrangementForm | None = None,
    effect: Rearranged | None = None,
    status: int = 200,
) -> HttpResponse:
    segments = list(Segment.objects.order_by("name"))
    context = {
        "tabs": health_tabs("scorecard"),
        "rows": [_row(row, arrangement) for row in card_rows()],
        "form": form,
        "effect": effect,
        "segments": segments,
        "can_edit": allows(request.membership, "health.configure"),
    }
    return render(request, "health/scorecards.html", context, status=status)


def _row(row: Any, arrangement: ArrangementForm | None) -> dict[str, Any]:
    """A card with what was typed for it, if anything was."""
    key = str(row.card.public_id)
    typed = arrangement.typed if arrangement else {}
    segment = str(row.card.segment.public_id) if row.card.segment else ""
    retired = row.card.retired_at is not None
    return {
        "row": row,
        "key": key,
        "name": typed.get(f"name-{key}", row.card.name),
        "position": typed.get(f"position-{key}", row.card.position),
        "segment": typed.get(f"segment-{key}", segment),
        "retired": typed.get(f"retired-{key}") == "1" if arrangement else retired,
        "error": arrangement.errors.get(key, "") if arrangement else "",
    }
