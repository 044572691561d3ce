"""Segments: the list, the editor with its live count, one segment with its members and its past."""

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
from accounts.charts.segments import members_chart
from accounts.forms.segments import SegmentForm, TreeWidget
from accounts.models import Segment, SegmentVersion
from accounts.queries.segment_pages import history_of, members_page, rule_in_words, segment_rows
from accounts.queries.segment_sheet import members_sheet
from accounts.queries.segment_uses import uses_of
from accounts.queries.segments import moment_at
from accounts.segments import TreeError, all_fields
from accounts.services import segments as service
from accounts.tasks import nudge
from cs_platform.lib.csv_text import csv_text

VIEWS = ("members", "entered", "left")
Versions = tuple[SegmentVersion | None, SegmentVersion | None]


@requires("accounts.view")
def segments(request: WorkspaceRequest) -> HttpResponse:
    """Every segment with its rule in words and who came and went in the last week."""
    currency = request.membership.workspace.report_currency
    rows = segment_rows(currency=currency, now=timezone.now())
    context = {"rows": rows, "can_edit": allows(request.membership, "accounts.configure")}
    return render(request, "accounts/segments.html", context)


@requires("accounts.configure")
def new_segment(request: WorkspaceRequest) -> HttpResponse:
    form = SegmentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        segment = service.create_segment(
            name=form.cleaned_data["name"],
            description=form.cleaned_data["description"],
            acting_user=request.user,
            now=timezone.now(),
        )
        return _keep(request, segment, form)
    return _editor(request, form, None)


@requires("accounts.configure")
def edit_segment(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """The editor. POST "draft" keeps what was typed, mistakes included; "publish" puts it in force."""
    segment = get_object_or_404(Segment, public_id=public_id)
    if request.method != "POST":
        versions = service.draft_of(segment), service.newest_published(segment)
        initial = {"name": segment.name, "description": segment.description}
        if shown := versions[0] or versions[1]:
            initial["tree"] = shown.definition
        return _editor(request, SegmentForm(initial=initial, segment=segment), segment, versions)
    form = SegmentForm(request.POST, segment=segment)
    is_valid = form.is_valid()
    if request.POST.get("do") == "draft" and set(form.errors) <= {"tree"} and not form.was_acted:
        return _keep_draft(request, segment, form)
    if not is_valid:
        return _editor(request, form, segment)
    return _keep(request, segment, form)


def _keep_draft(request: WorkspaceRequest, segment: Segment, form: SegmentForm) -> HttpResponse:
    typed = form.typed_rule()
    if typed is not None:
        service.save_draft(segment=segment, definition=typed, acting_user=request.user)
    _rename(request, segment, form)
    messages.success(request, gettext("Draft saved. Nobody enters or leaves until you publish it."))
    return redirect("accounts:segment_edit", segment.public_id)


def _keep(request: WorkspaceRequest, segment: Segment, form: SegmentForm) -> HttpResponse:
    """A form without a mistake: as a draft, or in force."""
    if request.POST.get("do") == "draft":
        return _keep_draft(request, segment, form)
    tree = form.cleaned_data["tree"]
    before = service.newest_published(segment)
    try:
        version, moved = service.publish_segment(
            segment=segment,
            definition=tree.as_json(),
            note=form.cleaned_data["note"],
            acting_user=request.user,
            now=timezone.now(),
        )
    except service.ScoreDecidesItself:
        form.add_error("tree", _circle())
        return _editor(request, form, segment)
    _rename(request, segment, form)
    nudge()
    undo = f"undo:{reverse('accounts:segment_rollback', args=[before.public_id])}" if before else ""
    messages.success(request, _published(version, moved), extra_tags=undo)
    return redirect("accounts:segment", segment.public_id)


def _rename(request: WorkspaceRequest, segment: Segment, form: SegmentForm) -> None:
    service.rename_segment(
        segment=segment,
        name=form.cleaned_data["name"],
        description=form.cleaned_data["description"],
        acting_user=request.user,
    )


def _published(version: SegmentVersion, moved: service.Moved) -> str:
    words = gettext("Version %(number)d is in force: %(entered)d entered, %(left)d left.")
    return words % {"number": version.number, "entered": moved.entered, "left": moved.left}


def _circle() -> str:
    return gettext(
        "A scorecard uses this segment, so its rule may not ask for the score or what follows from it:"
        " accounts would change their scorecard because of their score."
    )


def _editor(
    request: WorkspaceRequest, form: SegmentForm, segment: Segment | None, versions: Versions | None = None
) -> HttpResponse:
    """`versions`: the segment's draft and the one in force, where they were read already."""
    if versions is None:
        versions = (service.draft_of(segment), service.newest_published(segment)) if segment else (None, None)
    draft, live = versions
    context = {
        "form": form,
        "segment": segment,
        "live": live,
        "has_draft": draft is not None,
        "uses": uses_of(segment) if segment else [],
    }
    failed = form.is_bound and not form.was_acted
    return render(request, "accounts/segment_edit.html", context, status=422 if failed else 200)


@require_POST
@requires("accounts.view")
def segment_rules(request: WorkspaceRequest) -> HttpResponse:
    """The builder as it is typed, with whom the rule finds; changes nothing."""
    name = request.GET.get("name", "tree")[:60]
    edits_segment = "segment" in request.GET
    query = {"segment": request.GET["segment"][:36]} if edits_segment else {}
    widget = TreeWidget(without=frozenset({"segments"}) if edits_segment else frozenset(), query=query)
    draft = widget.value_from_datadict(request.POST, None, name)
    return render(request, widget.template, widget.context(name, widget.draft(draft)))


@requires("accounts.view")
def segment(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Who is in it, who came and went."""
    found = get_object_or_404(Segment.objects.select_related("created_by"), public_id=public_id)
    live = service.newest_published(found)
    workspace = request.membership.workspace
    moment = moment_at(timezone.now())
    view = request.GET.get("view", "members")
    view = view if view in VIEWS else "members"
    history = history_of(found, moment=moment)
    context: dict[str, Any] = {
        "segment": found,
        "live": live,
        "rule": rule_in_words(live.definition, all_fields(cached=True), workspace.report_currency)
        if live
        else "",
        "has_draft": service.draft_of(found) is not None,
        "page": members_page(found, view=view, after=request.GET.get("after", "")),
        "view": view,
        "tabs": _tabs(found, view),
        "chart": members_chart(history),
        "entered": sum(day.entered for day in history[-30:]),
        "left": sum(day.left for day in history[-30:]),
        "uses": uses_of(found),
        "versions": SegmentVersion.objects.filter(segment=found, published_at__isnull=False)
        .select_related("published_by")
        .order_by("-number")[:20],
        "can_edit": allows(request.membership, "accounts.configure"),
        "query": request.GET,
        "now": moment.now,
    }
    return render(request, "accounts/segment.html", context)


def _tabs(found: Segment, view: str) -> list[dict[str, Any]]:
    words = {"members": gettext("In it now"), "entered": gettext("Entered"), "left": gettext("Left")}
    url = reverse("accounts:segment", args=[found.public_id])
    return [
        {"label": label, "url": f"{url}?view={name}#who", "active": name == view}
        for name, label in words.items()
    ]


@requires("accounts.view")
def segment_members(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Every stay, past ones too, as CSV."""
    found = get_object_or_404(Segment, public_id=public_id)
    response = HttpResponse(csv_text(*members_sheet(found)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="segment.csv"'
    return response


@require_POST
@requires("accounts.configure")
def segment_rollback(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Put an older rule in force again."""
    version = get_object_or_404(
        SegmentVersion.objects.select_related("segment"), public_id=public_id, published_at__isnull=False
    )
    try:
        restored, moved = service.roll_back_segment(
            version=version, acting_user=request.user, now=timezone.now()
        )
    except TreeError:
        messages.error(
            request, gettext("Not rolled back: that rule asks for something that is gone. Nothing changed.")
        )
    except service.ScoreDecidesItself:
        messages.error(request, _circle())
    else:
        nudge()
        messages.success(request, _published(restored, moved))
    return redirect("accounts:segment", version.segment.public_id)


@require_POST
@requires("accounts.configure")
def segment_draft_discard(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    found = get_object_or_404(Segment, public_id=public_id)
    service.discard_draft(segment=found, acting_user=request.user)
    messages.success(request, gettext("The draft is gone; what is in force has not changed."))
    return redirect("accounts:segment", found.public_id)


@requires("accounts.configure")
def segment_deletions(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Says what goes with it, then deletes."""
    found = get_object_or_404(Segment, public_id=public_id)
    if request.method != "POST":
        context = {"segment": found, "uses": uses_of(found)}
        return render(request, "accounts/segment_delete.html", context)
    try:
        service.delete_segment(segment=found, acting_user=request.user)
    except service.SegmentInUse as error:
        words = ngettext(
            "Not deleted: it is used by %(uses)s.",
            "Not deleted: it is used in %(n)d places: %(uses)s.",
            len(error.uses),
        )
        messages.error(request, words % {"n": len(error.uses), "uses": ", ".join(error.uses)})
        return redirect("accounts:segment", found.public_id)
    messages.success(request, gettext("The segment and its history are deleted."))
    return redirect("accounts:segments")
