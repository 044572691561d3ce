"""Acts on cases: each is a form that says what would happen, then one act, then a toast with undo."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.access import WorkspaceRequest, requires
from accounts.views.returning import return_address
from dunning.forms.acts import ActForm, AnswerForm, NoteForm
from dunning.models import BillQuestion, DunningCase
from dunning.services.answers import AlreadyAnswered, answer_question
from dunning.services.bulk_acts import UNDO, Foresight, foresee, perform, take_back
from dunning.views.act_words import WORDS, sum_of
from dunning.views.board import board_again

MOST_AT_ONCE = 100
UNDO_SALT, UNDO_SECONDS = "dunning.undo", 3600
View = Callable[..., HttpResponseBase]


def asking(act: str) -> View:
    """The page or dialog that asks before the act."""

    @require_GET
    @requires("dunning.work")
    def ask(request: WorkspaceRequest) -> HttpResponse:
        named = request.GET.getlist("case")
        if not named or len(named) > MOST_AT_ONCE:
            return _choose_first(request, len(named))
        return _ask(request, act, _chosen(named), _form(act))

    return ask


def acting(act: str) -> View:
    """The act itself."""

    @require_POST
    @requires("dunning.work")
    def do(request: WorkspaceRequest) -> HttpResponse:
        cases, form = _chosen(request.POST.getlist("case")), _form(act, request.POST)
        if not form.is_valid():
            return _ask(request, act, cases, form, status=422)
        now = timezone.now()
        text = form.cleaned_data["text"].strip()
        done = perform(act=act, cases=cases, acting_user=request.user, now=now, text=text)
        _report(request, act, done, now)
        return _back(request)

    return do


@require_POST
@requires("dunning.work")
def undo(request: WorkspaceRequest) -> HttpResponse:
    """Take an act of the last hour back, in the cases where nothing like it came after."""
    try:
        named = signing.loads(request.GET.get("of", ""), salt=UNDO_SALT, max_age=UNDO_SECONDS)
    except signing.BadSignature:
        raise Http404 from None
    if named["workspace"] != request.membership.workspace_id:
        raise Http404
    count = take_back(
        act=named["act"],
        case_ids=named["cases"],
        done_at=datetime.fromisoformat(named["at"]),
        acting_user=request.user,
        now=timezone.now(),
    )
    if count:
        words = ngettext("Undone in %(count)d case.", "Undone in %(count)d cases.", count)
        messages.success(request, words % {"count": count})
    else:
        messages.warning(request, gettext("There is nothing to undo any more. Nothing was changed."))
    return redirect(return_address(request, reverse("dunning:board")))


@require_GET
@requires("dunning.work")
def new_answer(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    return _ask_answer(request, _question(public_id), AnswerForm())


@require_POST
@requires("dunning.work")
def answers(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    question, form = _question(public_id), AnswerForm(request.POST)
    if not form.is_valid():
        return _ask_answer(request, question, form, status=422)
    try:
        email = answer_question(
            question=question,
            text=form.cleaned_data["text"],
            acting_user=request.user,
            now=timezone.now(),
        )
    except AlreadyAnswered:
        messages.warning(request, gettext("This question was answered before. Nothing was sent."))
        return _back(request)
    if email is None:
        messages.success(request, gettext("Noted. The person has no mail address, so nothing was sent."))
    else:
        messages.success(request, gettext("The answer is on its way."))
    return _back(request)


def _form(act: str, data: QueryDict | None = None) -> ActForm:
    return NoteForm(data) if act == "note" else ActForm(data)


def _chosen(public_ids: list[str]) -> list[DunningCase]:
    """The cases named by the form, each of them; an unknown one is a missing page."""
    wanted = list(dict.fromkeys(public_ids))
    if not wanted or len(wanted) > MOST_AT_ONCE:
        raise Http404
    try:
        rows = DunningCase.objects.filter(public_id__in=wanted).select_related(
            "account", "invoice__subscription", "invoice__customer", "invoice__account", "policy_version"
        )
        found = list(rows.order_by("account__name", "id"))
    except ValidationError:
        raise Http404 from None
    if len(found) != len(wanted):
        raise Http404
    return found


def _choose_first(request: WorkspaceRequest, count: int) -> HttpResponse:
    """None is ticked, or more than one act takes: said on the list, in the dialog's place."""
    if count:
        words = gettext("At most %(count)d payments at once. Nothing was changed.") % {"count": MOST_AT_ONCE}
    else:
        words = gettext("Tick at least one payment first.")
    messages.warning(request, words)
    here = return_address(request, reverse("dunning:board"))
    response = HttpResponse() if request.htmx else redirect(here)
    if request.htmx:
        response["HX-Redirect"] = here
    return response


def _ask(
    request: WorkspaceRequest, act: str, cases: list[DunningCase], form: ActForm, status: int = 200
) -> HttpResponse:
    seen, words = foresee(act, cases, now=timezone.now()), WORDS[act]
    here = return_address(request, reverse("dunning:board"))
    context = {
        "act": act,
        "act_url": reverse(f"dunning:{act}"),
        "words": words,
        "title": words.title(seen.able or cases),
        "cases": cases,
        "able": seen.able,
        "able_words": words.able % {"count": len(seen.able)},
        "able_sum": sum_of(seen.able),
        "unable": seen.unable,
        "form": form,
        "here": here,
        "swaps_list": _is_board(here),
    }
    return _shown(request, "case_act", context, status)


def _ask_answer(
    request: WorkspaceRequest, question: BillQuestion, form: AnswerForm, status: int = 200
) -> HttpResponse:
    here = return_address(request, reverse("dunning:board"))
    context = {
        "question": question,
        "title": gettext("Answer the question"),
        "act_url": reverse("dunning:answers", args=[question.public_id]),
        "form": form,
        "here": here,
    }
    return _shown(request, "case_answer", context, status)


def _shown(request: WorkspaceRequest, name: str, context: dict[str, Any], status: int) -> HttpResponse:
    """In the dialog, or as a page of its own."""
    if not request.htmx:
        context["part"] = f"dunning/parts/{name}.html"
        return render(request, "dunning/act.html", context, status=status)
    response = render(request, f"dunning/parts/{name}.html", context, status=status)
    response["HX-Retarget"], response["HX-Reswap"] = "#dialog-content", "innerHTML"
    return response


def _report(request: WorkspaceRequest, act: str, done: Foresight, now: datetime) -> None:
    if done.able:
        tags = f"undo:{_undo_address(request, act, done, now)}" if act in UNDO else ""
        messages.success(request, WORDS[act].said(done.able), extra_tags=tags)
    if len(done.unable) == 1:
        case, why = done.unable[0]
        messages.warning(
            request, gettext("%(name)s stays as it is: %(why)s") % {"name": case.account.name, "why": why}
        )
    elif done.unable:
        count = len(done.unable)
        words = ngettext("%(count)d case stays as it is.", "%(count)d cases stay as they are.", count)
        messages.warning(request, words % {"count": count})


def _undo_address(request: WorkspaceRequest, act: str, done: Foresight, now: datetime) -> str:
    named = {
        "act": act,
        "cases": [case.pk for case in done.able],
        "at": now.isoformat(),
        "workspace": request.membership.workspace_id,
    }
    return f"{reverse('dunning:undo')}?of={signing.dumps(named, salt=UNDO_SALT, compress=True)}"


def _question(public_id: UUID) -> BillQuestion:
    rows = BillQuestion.objects.select_related("case__invoice", "case__account", "contact", "account")
    found: BillQuestion = get_object_or_404(rows, public_id=public_id)
    return found


def _back(request: WorkspaceRequest) -> HttpResponse:
    here = return_address(request, reverse("dunning:board"))
    return board_again(request, here) if request.htmx and _is_board(here) else redirect(here)


def _is_board(address: str) -> bool:
    return address.partition("?")[0] == reverse("dunning:board")
