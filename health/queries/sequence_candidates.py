"""Who a sequence would begin with now, and who it would leave out and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Max
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, LetGo, SegmentMembership
from accounts.queries.segments import account_ids_in
from accounts.segments import parse_tree
from health.models import OPEN_STATES, AccountState, Risk, Sequence, SequenceRun
from health.queries.experiments import held_out
from health.sequences.definition import SequenceDefinition

SUBJECT = "sequence"

SKIPPED = {
    "let_go": _("The team lets this account go."),
    "not_customer": _("It has no running subscription."),
    "audience": _("It does not match the audience."),
    "running": _("It is in this playbook already."),
    "handled": _("This occasion was handled before."),
    "too_soon": _("It was in this playbook not long ago."),
    "at_most": _("It was in this playbook as often as allowed."),
    "held_out": _("It is held out, to measure what the playbook does."),
}
# What even a person who begins a run by hand may not overrule.
HARD = ("let_go", "running", "held_out")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account at the door, and what brought it there."""

    account_id: int
    source: str


@dataclass(frozen=True)
class Standing:
    """`eligible` by expected loss, the largest first; `skipped`: a reason (key of SKIPPED) by account."""

    eligible: list[Candidate] = field(default_factory=list)
    skipped: dict[int, str] = field(default_factory=dict)


def find_candidates(sequence: Sequence, definition: SequenceDefinition, *, now: datetime) -> Standing:
    """Everybody whom the trigger names, sorted out. A constant number of queries."""
    asked = _asked(sequence, definition)
    reasons = refusals(sequence, definition, asked.values(), now=now)
    free = [pk for pk in asked if pk not in reasons]
    ordered = AccountState.objects.filter(account_id__in=free).order_by("-expected_loss_minor", "account_id")
    return Standing([asked[pk] for pk in ordered.values_list("account_id", flat=True)], reasons)


def _asked(sequence: Sequence, definition: SequenceDefinition) -> dict[int, Candidate]:
    trigger = definition.trigger
    if trigger.on == "risk":
        rows = Risk.objects.filter(cause__in=trigger.causes, closed_on__isnull=True)
        found = rows.order_by("severity", "-pk").values_list("account_id", "pk")  # the worst, oldest one wins
        return {account_id: Candidate(account_id, f"risk:{pk}") for account_id, pk in found}
    if trigger.on == "segment":
        stays = SegmentMembership.objects.filter(
            segment__public_id=trigger.segment, left_at__isnull=True
        ).order_by("pk")
        if not trigger.existing:
            stays = stays.filter(entered_at__gte=sequence.began_at) if sequence.began_at else stays.none()
        return {a: Candidate(a, f"segment:{pk}") for a, pk in stays.values_list("account_id", "pk")}
    return {}


def refusals(
    sequence: Sequence, definition: SequenceDefinition, candidates: Iterable[Candidate], *, now: datetime
) -> dict[int, str]:
    """By account, the first reason why no run may begin; accounts that may are absent."""
    asked = {candidate.account_id: candidate for candidate in candidates}
    if not asked:
        return {}
    tests = (
        ("let_go", _let_go(asked)),
        ("not_customer", set(asked) - _customers(asked)),
        ("audience", set(asked) - _audience(definition, asked, now)),
        *_earlier(sequence, definition, asked, now).items(),
        ("held_out", _held(sequence, asked, now)),
    )
    found: dict[int, str] = {}
    for reason, accounts in tests:
        for account_id in accounts:
            found.setdefault(account_id, reason)
    return found


def _let_go(asked: Iterable[int]) -> set[int]:
    rows = LetGo.objects.filter(account_id__in=list(asked), withdrawn_at__isnull=True)
    return set(rows.values_list("account_id", flat=True))


def _customers(asked: Iterable[int]) -> set[int]:
    rows = AccountState.objects.filter(account_id__in=list(asked), is_customer=True)
    return set(rows.values_list("account_id", flat=True))


def _audience(definition: SequenceDefinition, asked: Iterable[int], now: datetime) -> set[int]:
    if definition.audience is None:
        return set(asked)
    return account_ids_in(parse_tree(definition.audience), now=now, of=set(asked))


def _earlier(
    sequence: Sequence, definition: SequenceDefinition, asked: dict[int, Candidate], now: datetime
) -> dict[str, set[int]]:
    """What earlier runs of the same sequence forbid."""
    runs = SequenceRun.objects.filter(sequence=sequence, account_id__in=list(asked))
    counted = runs.order_by().values_list("account_id").annotate(last=Max("started_at"), times=Count("pk"))
    since = now - timedelta(days=definition.again_days)
    history = {account_id: (last, times) for account_id, last, times in counted}
    by_source = {candidate.source: account_id for account_id, candidate in asked.items()}
    seen = SequenceRun.objects.filter(sequence=sequence, source__in=list(by_source))
    return {
        "running": set(runs.filter(state__in=OPEN_STATES).values_list("account_id", flat=True)),
        "handled": {by_source[source] for source in seen.values_list("source", flat=True)},
        "too_soon": {pk for pk, (last, _times) in history.items() if last > since},
        "at_most": {pk for pk, (_last, times) in history.items() if times >= definition.at_most},
    }


def _held(sequence: Sequence, asked: Iterable[int], now: datetime) -> set[int]:
    rows = held_out(list(asked), now=now)
    return {
        account_id
        for account_id, marks in rows.items()
        if any(mark.subject_type == SUBJECT and mark.subject_id == sequence.pk for mark in marks)
    }


def occasion(definition: SequenceDefinition, sequence: Sequence, account: Account) -> str:
    """What would bring this account here by itself ("risk:17"), empty when nothing does or it was used."""
    found = _asked(sequence, definition).get(account.pk)
    if found is None or SequenceRun.objects.filter(sequence=sequence, source=found.source).exists():
        return ""
    return found.source
