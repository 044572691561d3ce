"""Rules that hand accounts to CSMs: changed, run as one act, and every night for new accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Max

from accounts.models import Membership, User
from accounts.segments.tree import Tree
from accounts.services.audit import audit
from health.models import ActionReceipt, AssignmentPolicy, AssignmentRule, AssignmentRuleMember
from health.queries.assignment import make_plan
from health.services.queue import hand_out_accounts

log = structlog.get_logger("health.assignment")


class PlanChanged(RuntimeError):
    """What would be done is no longer what was shown."""


@transaction.atomic
def save_rule(
    *,
    rule: AssignmentRule | None,
    name: str,
    tree: Tree | None,
    pool: Sequence[Membership],
    is_enabled: bool,
    acting_user: User | None,
) -> AssignmentRule:
    """Make a rule (at the end) or change one. It acts only when the rules are run."""
    if rule is None:
        last = AssignmentRule.objects.aggregate(last=Max("position"))["last"]
        rule = AssignmentRule(position=0 if last is None else last + 1)
    rule.name, rule.is_enabled = name, is_enabled
    rule.tree = tree.as_json() if tree else None
    rule.save()
    AssignmentRuleMember.objects.filter(rule=rule).delete()
    AssignmentRuleMember.objects.bulk_create([AssignmentRuleMember(rule=rule, member=m) for m in pool])
    audit("health.assignment_rule.saved", acting_user=acting_user, target=rule, pool=[m.pk for m in pool])
    return rule


@transaction.atomic
def delete_rule(*, rule: AssignmentRule, acting_user: User | None) -> None:
    audit("health.assignment_rule.deleted", acting_user=acting_user, target=rule)
    rule.delete()


@transaction.atomic
def move_rule(*, rule: AssignmentRule, up: bool, acting_user: User | None) -> None:
    """Change places with the neighbour; positions are written anew."""
    rules = list(AssignmentRule.objects.select_for_update().order_by("position", "pk"))
    at = next(at for at, found in enumerate(rules) if found.pk == rule.pk)
    to = at - 1 if up else at + 1
    if not 0 <= to < len(rules):
        return
    rules[at], rules[to] = rules[to], rules[at]
    for position, found in enumerate(rules):
        AssignmentRule.objects.filter(pk=found.pk).update(position=position)
    audit("health.assignment_rule.moved", acting_user=acting_user, target=rule, up=up)


@transaction.atomic
def save_policy(
    *,
    high_value_arr_minor: int | None,
    is_nightly: bool,
    capacities: Mapping[int, int | None],
    acting_user: User | None,
) -> None:
    """Threshold, the nightly run, and how many accounts each CSM can carry ({membership: number or None})."""
    AssignmentPolicy.objects.update_or_create(
        defaults={"high_value_arr_minor": high_value_arr_minor, "is_nightly": is_nightly}
    )
    for member in Membership.objects.filter(pk__in=capacities):
        if member.capacity_accounts != capacities[member.pk]:
            member.capacity_accounts = capacities[member.pk]
            member.save(update_fields=["capacity_accounts"])
    audit(
        "health.assignment_policy.saved",
        acting_user=acting_user,
        high_value_arr_minor=high_value_arr_minor,
        is_nightly=is_nightly,
    )


@transaction.atomic
def run_assignment(
    *, scope: str, token: str | None, acting_user: User | None, now: datetime
) -> ActionReceipt | None:
    """Hand the accounts out as one act that can be undone; None when there is nothing to do.

    `token` names the plan that was shown; another one raises PlanChanged and changes nothing.
    """
    plan = make_plan(scope=scope, now=now)
    if token is not None and token != plan.token:
        raise PlanChanged
    if not plan.changes:
        return None
    facts = {"scope": scope, "over": plan.counts["over"], "full": plan.counts["full"]}
    return hand_out_accounts(csm_of=plan.changes, facts=facts, acting_user=acting_user, now=now)


def hand_out_nightly(*, now: datetime) -> int:
    """Customers without a CSM, where the workspace wants that; returns how many got one."""
    if not AssignmentPolicy.objects.filter(is_nightly=True).exists():
        return 0
    receipt = run_assignment(scope="unassigned", token=None, acting_user=None, now=now)
    if receipt is None:
        return 0
    log.info("health.assignment.nightly", accounts=receipt.accounts)
    return int(receipt.accounts)
