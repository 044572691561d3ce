"""Playbooks: the list with its numbers, the ready ones, one playbook with its runs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, allows, requires
from accounts.tasks import nudge
from cs_platform.lib.csv_text import csv_text
from health.models import Sequence, SequenceVersion
from health.queries.playbook_results import result_of
from health.queries.playbooks import held_counts, playbook_rows, run_counts, run_rows, status_label
from health.queries.sequence_words import EXIT_LABELS, steps_in_words, tree_words, trigger_words
from health.sequences.definition import SequenceDefinition
from health.sequences.library import READY, ready
from health.services import sequence_plans as plans
from health.services.playbook_library import install


@requires("health.view")
def playbooks(request: WorkspaceRequest) -> HttpResponse:
    rows = playbook_rows()
    context = {
        "rows": rows,
        "running": sum(row.running for row in rows),
        "live": sum(1 for row in rows if row.version),
        "can_edit": allows(request.membership, "health.configure"),
    }
    return render(request, "health/playbooks.html", context)


@requires("health.view")
def export_playbooks(request: WorkspaceRequest) -> HttpResponse:
    """The list with its numbers, as CSV."""
    headers = [
        gettext("Playbook"),
        gettext("Begins with"),
        gettext("State"),
        gettext("Version"),
        gettext("Running"),
        gettext("Finished"),
        gettext("Left early"),
        gettext("Held out"),
    ]
    lines = [
        [r.sequence.name, r.trigger, r.status, r.version or "", r.running, r.finished, r.left, r.held_out]
        for r in playbook_rows()
    ]
    response = HttpResponse(csv_text(headers, lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="playbooks.csv"'
    return response


@requires("health.configure")
def new_playbook(request: WorkspaceRequest) -> HttpResponse:
    """The ready ones to begin from, or an empty one. POST makes a draft and opens the editor."""
    if request.method == "POST":
        return _create(request)
    taken = set(
        Sequence.objects.filter(archived_at__isnull=True)
        .exclude(library_key="")
        .values_list("library_key", flat=True)
    )
    chosen = request.GET.get("cause", "")
    context = {"ready": READY, "taken": taken, "chosen": chosen}
    return render(request, "health/playbook_new.html", context)


def _create(request: WorkspaceRequest) -> HttpResponse:
    key = request.POST.get("ready", "")
    if key:
        found = ready(key)
        if found is None:
            raise Http404
        made = install(found, acting_user=request.user, now=timezone.now())
    else:
        made = plans.create_sequence(
            name=plans.free_name(gettext("New playbook")),
            definition={"trigger": {"on": "hand"}, "steps": []},
            acting_user=request.user,
        )
    messages.success(request, gettext("A draft is there. It does nothing before you publish it."))
    return redirect("health:playbook_edit", made.public_id)


@requires("health.view")
def playbook(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """One playbook: what it does, how it stands, and its runs."""
    sequence = get_object_or_404(Sequence, public_id=public_id)
    live, draft = plans.in_force(sequence), plans.draft_of(sequence)
    if live is None and draft is not None and allows(request.membership, "health.configure"):
        return redirect("health:playbook_edit", sequence.public_id)
    state = request.GET.get("state", "")
    rows, page = run_rows(
        sequence, state=state, after=request.GET.get("after", ""), before=request.GET.get("before", "")
    )
    context = {
        "sequence": sequence,
        "live": live,
        "has_draft": draft is not None,
        "status": status_label(sequence, live.number if live else None),
        "rows": rows,
        "page": page,
        "state": state,
        "counts": run_counts(sequence),
        "held_out": held_counts().get(sequence.pk, 0),
        "result": result_of(sequence),
        "versions": _versions(sequence),
        "can_edit": allows(request.membership, "health.configure"),
        **_described(live),
    }
    return render(request, "health/playbook.html", context)


def _described(version: SequenceVersion | None) -> dict[str, Any]:
    """What the version in force does, in words."""
    if version is None:
        return {"steps": []}
    definition = SequenceDefinition.of_json(version.definition)
    return {
        "definition": definition,
        "trigger": trigger_words(definition),
        "audience": tree_words(definition.audience) if definition.audience else "",
        "steps": steps_in_words(definition),
        "exits": [EXIT_LABELS[name] for name in EXIT_LABELS if name in definition.exits],
    }


def _versions(sequence: Sequence) -> Any:
    rows = SequenceVersion.objects.filter(sequence=sequence, published_at__isnull=False)
    return rows.select_related("published_by").order_by("-number")[:20]


@require_POST
@requires("health.configure")
def playbook_pause(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    sequence = get_object_or_404(Sequence, public_id=public_id)
    plans.pause_sequence(sequence=sequence, acting_user=request.user, now=timezone.now())
    messages.success(request, gettext("Paused: nobody new begins, and every run stands still."))
    return redirect("health:playbook", sequence.public_id)


@require_POST
@requires("health.configure")
def playbook_release(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    sequence = get_object_or_404(Sequence, public_id=public_id)
    plans.release_sequence(sequence=sequence, acting_user=request.user, now=timezone.now())
    nudge()
    messages.success(request, gettext("It goes on."))
    return redirect("health:playbook", sequence.public_id)


@require_POST
@requires("health.configure")
def playbook_archive(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    sequence = get_object_or_404(Sequence, public_id=public_id)
    ended = plans.archive_sequence(sequence=sequence, acting_user=request.user, now=timezone.now())
    words = ngettext(
        "Put away; %(n)d run was ended. Its history stays.",
        "Put away; %(n)d runs were ended. Its history stays.",
        ended,
    )
    messages.success(request, words % {"n": ended})
    return redirect("health:playbooks")
