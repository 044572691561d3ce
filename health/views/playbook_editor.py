"""The playbook editor, the dry run before publishing, versions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, allows, requires
from accounts.models import Segment
from accounts.tasks import nudge
from cs_platform.lib.csv_text import csv_text
from health.forms.playbook import PlaybookForm, step_kinds
from health.models import Sequence, SequenceVersion
from health.queries.dry_run import PAGE_SIZE, dry_run, dry_run_sheet
from health.queries.sequence_words import EXIT_LABELS
from health.registry import sequence_actions
from health.risks import risk_rules
from health.sequences.definition import SequenceDefinition
from health.sequences.parsing import SequenceError, parse_sequence
from health.services import sequence_plans as plans
from health.services.experiments import ExperimentRefused

EMPTY: dict[str, Any] = {"trigger": {"on": "hand"}, "steps": []}


@requires("health.configure")
def edit(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """The editor. POST: "draft" keeps it, "preview" keeps it and shows what it would do, others change the form."""
    sequence = get_object_or_404(Sequence, public_id=public_id)
    if request.method == "POST":
        return _posted(request, sequence)
    shown = plans.draft_of(sequence) or plans.in_force(sequence)
    form = PlaybookForm.of_definition(shown.definition if shown else EMPTY)
    if "check" in request.GET:
        _checked(form)
    return _page(request, sequence, form)


def _posted(request: WorkspaceRequest, sequence: Sequence) -> HttpResponse:
    form = PlaybookForm.of_request(request.POST)
    name = request.POST.get("name", "").strip()[:100]
    if not name:
        form.errors["name"] = gettext("Give it a name.")
    elif Sequence.objects.filter(name=name, archived_at__isnull=True).exclude(pk=sequence.pk).exists():
        form.errors["name"] = gettext("There is a playbook of this name already.")
    if form.acted or form.errors:  # a rule in the middle of a change has no stored form yet
        return _page(request, sequence, form, status=422 if form.errors else 200)
    plans.save_draft(sequence=sequence, definition=form.definition(), acting_user=request.user)
    purpose = request.POST.get("purpose", "").strip()[:300]
    if (name, purpose) != (sequence.name, sequence.purpose):
        plans.rename_sequence(sequence=sequence, name=name, purpose=purpose, acting_user=request.user)
    if form.changes_itself:
        return redirect(f"{reverse('health:playbook_edit', args=[public(sequence)])}#step-{form.moved_to}")
    if request.POST.get("do") == "preview":
        if _checked(form) is None:
            messages.error(request, gettext("Some steps need correcting first. Nothing you typed is lost."))
            return _page(request, sequence, form, status=422)
        return redirect("health:playbook_preview", sequence.public_id)
    messages.success(request, gettext("Draft saved. Nothing changes for anybody until you publish it."))
    return redirect("health:playbook_edit", sequence.public_id)


def public(sequence: Sequence) -> UUID:
    found: UUID = sequence.public_id
    return found


def _checked(form: PlaybookForm) -> SequenceDefinition | None:
    """The definition, or None with every mistake written beside its step."""
    try:
        return parse_sequence(form.definition(), segments=plans.known_segments())
    except SequenceError as error:
        form.show(error.problems)
        return None


def _page(
    request: WorkspaceRequest, sequence: Sequence, form: PlaybookForm, status: int = 200
) -> HttpResponse:
    posted = request.method == "POST"
    context = {
        "sequence": sequence,
        "name": request.POST.get("name", "") if posted else sequence.name,
        "purpose": request.POST.get("purpose", "") if posted else sequence.purpose,
        "live": plans.in_force(sequence),
        "has_draft": plans.draft_of(sequence) is not None,
        "form": form,
        "rows": form.shown(),
        "audience": form.audience_tree(),
        "kinds": step_kinds(one for one in sequence_actions if one.only_in in ("", sequence.kind)),
        "causes": list(risk_rules),
        "segments": Segment.objects.order_by("name"),
        "exits": EXIT_LABELS,
    }
    return render(request, "health/playbook_edit.html", context, status=status)


@requires("health.view")
def preview(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """The dry run: every account, person and message of the draft (or of what is in force), and who is left out."""
    sequence = get_object_or_404(Sequence, public_id=public_id)
    draft, live = plans.draft_of(sequence), plans.in_force(sequence)
    version = draft or live
    try:
        definition = parse_sequence(version.definition if version else EMPTY, segments=plans.known_segments())
    except SequenceError:
        return redirect(f"{reverse('health:playbook_edit', args=[public(sequence)])}?check=1")
    try:
        page = max(1, int(request.GET.get("page", "1")))
    except ValueError:
        page = 1
    run = dry_run(sequence, definition, now=timezone.now(), page=page)
    context = {
        "sequence": sequence,
        "live": live,
        "draft": draft,
        "run": run,
        "page": page,
        "page_size": PAGE_SIZE,
        "can_publish": draft is not None and allows(request.membership, "health.configure"),
        "error": "",
    }
    return render(request, "health/playbook_preview.html", context)


@requires("health.view")
def export_preview(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """The whole dry run as CSV: one line a thing that would happen."""
    sequence = get_object_or_404(Sequence, public_id=public_id)
    version = plans.draft_of(sequence) or plans.in_force(sequence)
    try:
        definition = parse_sequence(version.definition if version else EMPTY, segments=plans.known_segments())
    except SequenceError:
        return redirect(f"{reverse('health:playbook_edit', args=[public(sequence)])}?check=1")
    headers, rows = dry_run_sheet(sequence, definition, now=timezone.now())
    response = HttpResponse(csv_text(headers, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="dry-run.csv"'
    return response


@require_POST
@requires("health.configure")
def publish(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    sequence = get_object_or_404(Sequence, public_id=public_id)
    draft = plans.draft_of(sequence)
    if draft is None:
        messages.warning(request, gettext("There is no draft to publish."))
        return redirect("health:playbook", sequence.public_id)
    try:
        version = plans.publish(
            sequence=sequence,
            definition=draft.definition,
            note=request.POST.get("note", "").strip()[:300],
            acting_user=request.user,
            now=timezone.now(),
        )
    except SequenceError:
        return redirect(f"{reverse('health:playbook_edit', args=[public(sequence)])}?check=1")
    except ExperimentRefused as error:
        messages.error(request, gettext("Not published: %(why)s") % {"why": error})
        return redirect("health:playbook_preview", sequence.public_id)
    nudge()
    words = gettext("Version %(number)d is in force. Runs that began before keep their version.")
    messages.success(request, words % {"number": version.number})
    return redirect("health:playbook", sequence.public_id)


@require_POST
@requires("health.configure")
def draft_discard(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    sequence = get_object_or_404(Sequence, public_id=public_id)
    plans.discard_draft(sequence=sequence, acting_user=request.user)
    messages.success(request, gettext("The draft is gone; what is in force has not changed."))
    if plans.in_force(sequence) is None:
        plans.archive_sequence(sequence=sequence, acting_user=request.user, now=timezone.now())
        return redirect("health:playbooks")
    return redirect("health:playbook", sequence.public_id)


@require_POST
@requires("health.configure")
def rollback(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Put an older version in force again, for runs that begin from now on."""
    rows = SequenceVersion.objects.select_related("sequence").filter(published_at__isnull=False)
    version = get_object_or_404(rows, public_id=public_id)
    try:
        restored = plans.roll_back(version=version, acting_user=request.user, now=timezone.now())
    except (SequenceError, ExperimentRefused) as error:
        messages.error(request, gettext("Not rolled back: %(why)s") % {"why": error})
        return redirect("health:playbook", version.sequence.public_id)
    words = gettext("Version %(old)d is in force again, as version %(new)d.")
    messages.success(request, words % {"old": version.number, "new": restored.number})
    return redirect("health:playbook", version.sequence.public_id)
