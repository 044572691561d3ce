"""Published versions of the policy with what each changed, and how somebody else's work differs from one's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dunning.models import DunningPolicy, DunningPolicyVersion
from dunning.policy.definition import LAST_NOTICE_DAYS, PolicyDefinition
from dunning.policy.parsing import PolicyError, parse_policy
from dunning.queries.policy_changes import Change, changes
from health.sequences.controls import WAIT
from health.sequences.definition import SequenceDefinition

SHOWN = 20
UNIT_DAYS = {"hours": 1 / 24, "days": 1, "weeks": 7}


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One published version; `changes` from the one before it, None for the very first."""

    version: DunningPolicyVersion
    changes: list[Change] | None


@dataclass(frozen=True, slots=True)
class Clash:
    """What somebody else wrote while one was typing. `changes` lead from theirs to what is typed; None where one of
    the two has mistakes."""

    who: str
    number: int
    published_at: datetime | None
    changes: list[Change] | None


def version_lines(policy: DunningPolicy, *, currency: str) -> list[VersionLine]:
    """The newest versions first; one query."""
    rows = DunningPolicyVersion.objects.filter(policy=policy, published_at__isnull=False)
    found = list(rows.select_related("published_by").order_by("-number")[: SHOWN + 1])
    read = [PolicyDefinition.of_json(row.definition) for row in found]
    lines = [
        VersionLine(row, changes(read[at + 1], read[at], currency=currency) if at + 1 < len(read) else None)
        for at, row in enumerate(found)
    ]
    return lines[:SHOWN]


def clash_with(theirs: DunningPolicyVersion, typed: dict[str, Any], *, currency: str) -> Clash:
    """`theirs`: a version published meanwhile, or another person's draft."""
    who = theirs.published_by if theirs.published_at else theirs.created_by
    try:
        told = changes(parse_policy(theirs.definition), parse_policy(typed), currency=currency)
    except PolicyError:
        told = None
    return Clash(str(who or ""), theirs.number, theirs.published_at, told)


def notices_without_room(definition: SequenceDefinition, policy: PolicyDefinition, *, action: str) -> int:
    """How many notices between the first and the last one a case is too short for: the last one goes before them."""
    room = policy.duration - timedelta(days=LAST_NOTICE_DAYS + policy.silent_days)
    waited, left_out = timedelta(0), 0
    steps = [step for step in definition.steps if step.kind in (WAIT, action)]
    for step in steps[1:-1]:
        if step.kind == WAIT:
            waited += timedelta(days=step.values["amount"] * UNIT_DAYS.get(str(step.values["unit"]), 1))
        elif waited >= room:
            left_out += 1
    return left_out
