"""One act on many cases: what would happen, then what did, and taking it back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from dunning.cases.steps import (
    Closed,
    Detail,
    HandedOver,
    ManualRetry,
    PaidElsewhere,
    Resumed,
    Step,
    Stopped,
    TakenBack,
)
from dunning.cases.transitions import IllegalStep, State, apply, replay
from dunning.models import DunningCase, DunningStep
from dunning.policy.definition import PolicyDefinition
from dunning.policy.planning import may_try_by_hand
from dunning.policy.reasons import WhyNot
from dunning.queries.case_facts import situation_of
from dunning.services import case_verbs
from dunning.services.case_verbs import CaseRefused

# What each act adds to a case; the reducer says whether the case takes it.
STEPS: dict[str, Detail] = {
    "retry": ManualRetry(),
    "stop": Stopped(),
    "resume": Resumed(),
    "hand_over": HandedOver(),
    "take_back": TakenBack(),
    "paid": PaidElsewhere(),
    "close": Closed(state=State.CANCELED),
}
# Why the reducer refuses it, where it is not a charge on its way.
REFUSED = {
    "retry": WhyNot.HARD_DECLINE,
    "stop": "stopped",
    "resume": "resumed",
    "hand_over": "handed_over",
    "take_back": "taken_back",
}
# What takes an act back.
UNDO = {"stop": "resume", "resume": "stop", "hand_over": "take_back"}


@dataclass(frozen=True)
class Foresight:
    """Cases that would take the act, and those that would not, each with the reason in words."""

    able: list[DunningCase] = field(default_factory=list)
    unable: list[tuple[DunningCase, str]] = field(default_factory=list)


def foresee(act: str, cases: Sequence[DunningCase], *, now: datetime) -> Foresight:
    """What the act would do to each case; nothing is written."""
    seen, histories = Foresight(), _histories(cases)
    for case in cases:
        try:
            _judge(act, case, histories.get(case.pk, []), now)
        except CaseRefused as refused:
            seen.unable.append((case, refused.words))
        else:
            seen.able.append(case)
    return seen


def _judge(act: str, case: DunningCase, steps: list[Step], now: datetime) -> None:
    """Raises CaseRefused like the verb itself would."""
    if act == "note":
        return
    state = replay(steps)
    if not state.is_open:
        raise CaseRefused("closed")
    if state.open_attempt is not None and act in ("retry", "close", "paid"):
        raise CaseRefused(WhyNot.OUTCOME_UNKNOWN)
    if act == "paid" and case.invoice.provider:
        raise CaseRefused("has_provider")
    if act == "retry":
        _judge_retry(case, state, now)
    try:
        apply(state, Step(now, STEPS[act]))
    except IllegalStep as error:
        raise CaseRefused(REFUSED.get(act, "closed")) from error


def _judge_retry(case: DunningCase, state: Any, now: datetime) -> None:
    known = situation_of(case.invoice, ends_at=state.ends_at, now=now, state=state)
    if not known.is_automatic:
        raise CaseRefused(WhyNot.NOT_AUTOMATIC)
    policy = PolicyDefinition.of_json(case.policy_version.definition)
    if refused := may_try_by_hand(known.facts, policy, now=now):
        raise CaseRefused(refused.why, refused.data)


def _histories(cases: Iterable[DunningCase]) -> dict[int, list[Step]]:
    found: dict[int, list[Step]] = {}
    rows = DunningStep.objects.filter(case__in=[case.pk for case in cases]).order_by("case_id", "number")
    for case_id, kind, at, detail in rows.values_list("case_id", "kind", "happened_at", "detail"):
        found.setdefault(case_id, []).append(Step.of_row(kind=kind, at=at, detail=detail))
    return found


@transaction.atomic
def perform(
    *,
    act: str,
    cases: Sequence[DunningCase],
    acting_user: User,
    now: datetime,
    text: str = "",
) -> Foresight:
    """Do it to every case that takes it, with a note where there is one. The rest stays, with the reason.

    The rows are locked in one order first, so that two of these never wait for each other.
    """
    locked = DunningCase.objects.select_for_update(no_key=True).filter(pk__in=[case.pk for case in cases])
    list(locked.order_by("pk").values_list("pk", flat=True))
    done, verb = Foresight(), _VERBS.get(act)
    for case in cases:
        try:
            if verb is not None:
                verb(case=case, acting_user=acting_user, now=now)
            if text:
                case_verbs.note(case=case, text=text, acting_user=acting_user, now=now)
        except CaseRefused as refused:
            done.unable.append((case, refused.words))
            continue
        done.able.append(case)
    return done


@transaction.atomic
def take_back(
    *, act: str, case_ids: Sequence[int], done_at: datetime, acting_user: User, now: datetime
) -> int:
    """Undo an act done at `done_at`; cases that were touched in the same way since stay. Returns how many."""
    kinds = {STEPS[act].KIND, STEPS[UNDO[act]].KIND}
    rows = DunningStep.objects.filter(case__in=list(case_ids), kind__in=kinds).order_by("case_id", "-number")
    last = rows.distinct("case_id").values_list("case_id", "kind", "happened_at")
    ours = [case_id for case_id, kind, at in last if kind == STEPS[act].KIND and at == done_at]
    cases = list(DunningCase.objects.filter(pk__in=ours).order_by("pk"))
    return len(perform(act=UNDO[act], cases=cases, acting_user=acting_user, now=now).able)


_VERBS: dict[str, Callable[..., Any]] = {
    "retry": case_verbs.retry_now,
    "stop": case_verbs.stop,
    "resume": case_verbs.resume,
    "hand_over": case_verbs.hand_over,
    "take_back": case_verbs.take_back,
    "paid": case_verbs.mark_paid_by_hand,
    "close": case_verbs.close,
}
