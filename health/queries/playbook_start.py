"""Starting a playbook by hand: which ones there are, and what would happen to this account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from health.models import Risk, Sequence, SequenceKind, SequenceVersion
from health.queries.sequence_candidates import HARD, SKIPPED, Candidate, occasion, refusals
from health.queries.sequence_preview import Walk, walks
from health.queries.sequence_words import segment_names, trigger_words
from health.sequences.definition import SequenceDefinition


@dataclass(frozen=True, slots=True)
class StartChoice:
    """A playbook that may be begun; `fits`: it answers a risk that is open here. `refusal` says why not."""

    sequence: Sequence
    trigger: str
    fits: bool
    refusal: Any


@dataclass(frozen=True, slots=True)
class StartPreview:
    """What would happen; `refusal` stops it, `remark` is only said."""

    walk: Walk | None
    refusal: Any
    remark: Any
    source: str


def start_choices(account: Account, *, now: datetime) -> list[StartChoice]:
    """Published playbooks, those that answer an open risk first."""
    open_causes = set(
        Risk.objects.filter(account=account, closed_on__isnull=True).values_list("cause", flat=True)
    )
    names, found = segment_names(), []
    for sequence, definition in _published():
        fits = bool(open_causes & set(definition.trigger.causes))
        refusal, _remark = _stops(sequence, definition, account, now)
        found.append(StartChoice(sequence, trigger_words(definition, names), fits, refusal))
    return sorted(found, key=lambda choice: (bool(choice.refusal), not choice.fits, choice.sequence.name))


def start_preview(sequence: Sequence, account: Account, *, now: datetime) -> StartPreview:
    version = _versions().filter(sequence=sequence).first()
    if version is None:
        return StartPreview(None, _("It is not published yet."), "", "")
    definition = SequenceDefinition.of_json(version.definition)
    refusal, remark = _stops(sequence, definition, account, now)
    walk = next(iter(walks(definition, [account.pk], now=now)), None)
    return StartPreview(walk, refusal, remark, occasion(definition, sequence, account))


def _stops(
    sequence: Sequence, definition: SequenceDefinition, account: Account, now: datetime
) -> tuple[Any, Any]:
    """(why it may not begin, what the person should know)."""
    if sequence.paused_at:
        return _("The playbook is paused."), ""
    reason = refusals(sequence, definition, [Candidate(account.pk, "")], now=now).get(account.pk, "")
    words = SKIPPED.get(reason, "")
    return (words, "") if reason in HARD else ("", words)


def _versions() -> Any:
    rows = SequenceVersion.objects.filter(published_at__isnull=False, sequence__archived_at__isnull=True)
    return rows.order_by("sequence_id", "-number")


def _published() -> list[tuple[Sequence, SequenceDefinition]]:
    newest: dict[int, SequenceVersion] = {}
    for version in _versions().filter(sequence__kind=SequenceKind.PLAYBOOK).select_related("sequence"):
        newest.setdefault(version.sequence_id, version)
    return [(v.sequence, SequenceDefinition.of_json(v.definition)) for v in newest.values()]
