"""What playbooks changed, as far as their experiments can say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from health.models import Experiment, Sequence
from health.queries.experiment_results import Verdict, results
from health.queries.experiment_words import VERDICT_TONES, VERDICT_WORDS
from health.queries.sequence_candidates import SUBJECT


@dataclass(frozen=True, slots=True)
class PlaybookResult:
    """The verdict of the newest experiment of a playbook, and its page."""

    words: Any
    tone: str
    public_id: str
    settled: int
    planned: int


def playbook_results() -> dict[int, PlaybookResult]:
    """By sequence; those that were never tested are absent. Two queries."""
    newest: dict[int, Experiment] = {}
    for experiment in Experiment.objects.filter(subject_type=SUBJECT).order_by("started_at", "pk"):
        newest[experiment.subject_id] = experiment
    return _results(newest)


def result_of(sequence: Sequence) -> PlaybookResult | None:
    rows = Experiment.objects.filter(subject_type=SUBJECT, subject_id=sequence.pk)
    newest = rows.order_by("-started_at", "-pk").first()
    return _results({sequence.pk: newest}).get(sequence.pk) if newest else None


def _results(newest: dict[int, Experiment]) -> dict[int, PlaybookResult]:
    found = results(list(newest.values()))
    return {
        sequence_id: PlaybookResult(
            VERDICT_WORDS[found[experiment.pk].verdict],
            VERDICT_TONES.get(Verdict(found[experiment.pk].verdict), ""),
            str(experiment.public_id),
            found[experiment.pk].settled,
            experiment.planned_accounts,
        )
        for sequence_id, experiment in newest.items()
    }
