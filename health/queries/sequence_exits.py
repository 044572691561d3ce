"""Which running sequences must end before their last step, and why."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from accounts.models import LetGo, SegmentMembership, Subscription
from health.models import Risk, SequenceRun
from health.registry import answer_sources
from health.sequences.definition import SequenceDefinition

LET_GO = "let_go"


def exit_reasons(runs: Iterable[SequenceRun], *, now: datetime) -> dict[int, str]:
    """By run, the first reason that holds; runs that go on are absent.

    A constant number of queries. Runs come with their version; LetGo ends a run whatever it says.
    """
    rows = [(run, SequenceDefinition.of_json(run.version.definition).exits) for run in runs]
    if not rows:
        return {}
    gone = _let_go({run.account_id for run, _ in rows})
    churned = _churned({run.account_id for run, exits in rows if "churned" in exits}, now)
    closed = _closed_risks({pk for run, exits in rows if "risk_closed" in exits and (pk := _id(run, "risk"))})
    left = _left({pk for run, exits in rows if "segment_left" in exits and (pk := _id(run, "segment"))})
    heard = _heard([run for run, exits in rows if "contact_answered" in exits])
    found: dict[int, str] = {}
    for run, exits in rows:
        if run.account_id in gone:
            found[run.pk] = LET_GO
        elif "churned" in exits and run.account_id in churned:
            found[run.pk] = "churned"
        elif "risk_closed" in exits and _id(run, "risk") in closed:
            found[run.pk] = "risk_closed"
        elif "segment_left" in exits and _id(run, "segment") in left:
            found[run.pk] = "segment_left"
        elif run.pk in heard:
            found[run.pk] = "contact_answered"
    return found


def _id(run: SequenceRun, kind: str) -> int | None:
    """The id in a source such as "risk:17"."""
    name, _colon, number = run.source.partition(":")
    return int(number) if name == kind and number.isdecimal() else None


def _let_go(account_ids: set[int]) -> set[int]:
    rows = LetGo.objects.filter(account_id__in=account_ids, withdrawn_at__isnull=True)
    return set(rows.values_list("account_id", flat=True))


def _churned(account_ids: set[int], now: datetime) -> set[int]:
    """Accounts that had a subscription and have none now."""
    if not account_ids:
        return set()
    had = Subscription.objects.filter(account_id__in=account_ids, started_at__lte=now)
    has = had.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=now))
    return set(had.values_list("account_id", flat=True)) - set(has.values_list("account_id", flat=True))


def _closed_risks(ids: set[int]) -> set[int | None]:
    if not ids:
        return set()
    return set(Risk.objects.filter(pk__in=ids, closed_on__isnull=False).values_list("pk", flat=True))


def _left(ids: set[int]) -> set[int | None]:
    if not ids:
        return set()
    rows = SegmentMembership.objects.filter(pk__in=ids, left_at__isnull=False)
    return set(rows.values_list("pk", flat=True))


def _heard(runs: list[SequenceRun]) -> set[int]:
    """Runs whose account was heard from after they began; the earliest begin of an account is asked for."""
    if not runs:
        return set()
    found: set[int] = set()
    for source in answer_sources:
        found |= source.answered({run.pk: (run.account_id, run.started_at) for run in runs})
    return found
