"""The assignment of CSMs: rules in words, who has how many accounts, and what a run would do."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext

from accounts.models import Account, LetGo, Membership, Role, Segment
from accounts.queries.segment_pages import rule_in_words
from accounts.queries.segment_uses import asks_for
from accounts.queries.segments import account_ids_in
from accounts.registry import SegmentUse
from accounts.segments import TreeError, all_fields, parse_tree
from health.assigning import Candidate, Handing, Turn, Why, hand_out
from health.models import AccountState, ActionReceipt, AssignmentPolicy, AssignmentRule

ROWS_SHOWN = 100
WORKERS = (Role.CSM, Role.ADMIN, Role.OWNER)
SCOPES = ("unassigned", "all")


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule; `words` is None where it can no longer be read, "" where it takes everybody."""

    rule: AssignmentRule
    words: str | None
    pool: list[Membership]


@dataclass(frozen=True, slots=True)
class Desk:
    """A CSM with their customers before and after the plan."""

    member: Membership
    before: int
    after: int
    arr_minor: int

    @property
    def is_over(self) -> bool:
        most = self.member.capacity_accounts
        return most is not None and self.after > most


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One account of the plan, with its state."""

    state: AccountState
    csm: Membership | None
    why: Why
    rule: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Who would get whom. `token` names exactly this plan; `rows` are the largest changes, at most 100."""

    handings: list[Handing]
    changes: dict[int, int]
    token: str
    counts: dict[str, int]
    desks: list[Desk]
    rows: list[PlanRow]
    is_high_value_set: bool


def assignment_rules_of(segment: Segment) -> list[SegmentUse]:
    """Rules that ask for the segment."""
    return [
        SegmentUse(
            gettext("Assignment rule “%(name)s”") % {"name": rule.name},
            reverse("health:assignment_rule", args=[rule.public_id]),
        )
        for rule in AssignmentRule.objects.order_by("position", "pk")
        if asks_for(rule.tree, segment)
    ]


def policy() -> AssignmentPolicy:
    """The workspace's settings; an unsaved row with the defaults where none was stored."""
    return AssignmentPolicy.objects.first() or AssignmentPolicy()


def rule_rows(*, currency: str) -> list[RuleRow]:
    fields = all_fields(cached=True)
    rules = AssignmentRule.objects.order_by("position", "pk").prefetch_related("pool__member__user")
    return [
        RuleRow(
            rule,
            rule_in_words(rule.tree, fields, currency) if rule.tree else "",
            [place.member for place in rule.pool.all()],
        )
        for rule in rules
    ]


def desks_now() -> list[Desk]:
    """CSMs, and others who have accounts, by name; their customers count."""
    held = _load()
    return [
        Desk(member, held.get(member.pk, 0), held.get(member.pk, 0), 0)
        for member in _members()
        if member.role == Role.CSM or held.get(member.pk)
    ]


def _members() -> list[Membership]:
    rows = Membership.objects.filter(is_active=True, role__in=WORKERS).select_related("user")
    return list(rows.order_by("user__name", "user__email", "pk"))


def _load() -> dict[int, int]:
    rows = AccountState.objects.filter(is_customer=True, csm__isnull=False)
    return dict(rows.values_list("csm_id").annotate(n=Count("pk")))


def make_plan(*, scope: str, now: datetime) -> Plan:
    """What a run would do now to customers without a CSM ("unassigned") or to every customer ("all")."""
    states = AccountState.objects.filter(is_customer=True)
    gone = LetGo.objects.filter(withdrawn_at__isnull=True)
    states = states.exclude(account_id__in=gone.values("account_id"))
    if scope == "unassigned":
        states = states.filter(csm__isnull=True)
    held = states.values_list("account_id", "arr_minor", "csm_id")
    candidates = [Candidate(*row) for row in held]
    members = {member.pk: member for member in _members()}
    # Whoever a rule does not name gets accounts of high value only as a CSM.
    desks = {m.pk: m.capacity_accounts for m in members.values() if m.role == Role.CSM}
    turns, names = _turns(members, now)
    desks |= {pk: members[pk].capacity_accounts for turn in turns for pk in turn.pool}
    load, rule = _load(), policy()
    handings = hand_out(
        candidates, turns, capacity=desks, load=load, high_value_minor=rule.high_value_arr_minor
    )
    before = {candidate.account_id: candidate.csm_id for candidate in candidates}
    changes = {h.account_id: h.csm_id for h in handings if h.csm_id and h.csm_id != before[h.account_id]}
    after = _after(load, before, changes)
    arr = Counter[int]()
    for candidate in candidates:
        if candidate.account_id in changes:
            arr[changes[candidate.account_id]] += candidate.arr_minor
    shown = [m for m in members.values() if m.role == Role.CSM or load.get(m.pk) or after.get(m.pk)]
    return Plan(
        handings=handings,
        changes=changes,
        token=_token(changes),
        counts=_counts(handings, changes),
        desks=[Desk(m, load.get(m.pk, 0), after.get(m.pk, 0), arr[m.pk]) for m in shown],
        rows=_rows(handings, changes, members, names),
        is_high_value_set=rule.high_value_arr_minor is not None,
    )


def _turns(members: dict[int, Membership], now: datetime) -> tuple[list[Turn], dict[int, str]]:
    """Rules that are on, can be read and have somebody; each asks the database once."""
    fields = all_fields(cached=True)
    turns, names = [], {}
    for rule in (
        AssignmentRule.objects.filter(is_enabled=True).order_by("position", "pk").prefetch_related("pool")
    ):
        pool = tuple(sorted(place.member_id for place in rule.pool.all() if place.member_id in members))
        try:
            tree = parse_tree(rule.tree, fields=fields) if rule.tree else None
        except TreeError:
            continue
        if pool:
            found = account_ids_in(tree, now=now) if tree else Account.objects.values_list("pk", flat=True)
            turns.append(Turn(rule.pk, frozenset(found), pool))
            names[rule.pk] = rule.name
    return turns, names


def _after(load: dict[int, int], before: dict[int, int | None], changes: dict[int, int]) -> dict[int, int]:
    after = Counter(load)
    for account_id, csm_id in changes.items():
        old = before[account_id]
        if old is not None:
            after[old] -= 1
        after[csm_id] += 1
    return dict(after)


def _token(changes: dict[int, int]) -> str:
    return hashlib.sha256(repr(sorted(changes.items())).encode()).hexdigest()[:32]


def _counts(handings: list[Handing], changes: dict[int, int]) -> dict[str, int]:
    counted = Counter(h.why for h in handings if h.account_id in changes or h.csm_id is None)
    return {"changes": len(changes), **{why.value: counted[why] for why in Why}}


def _rows(
    handings: list[Handing], changes: dict[int, int], members: dict[int, Membership], names: dict[int, str]
) -> list[PlanRow]:
    """The first changes and the first left alone, in the order in which they are handed out."""
    told = [h for h in handings if h.account_id in changes or h.csm_id is None][:ROWS_SHOWN]
    rows = AccountState.objects.filter(account_id__in=[h.account_id for h in told])
    states = {state.account_id: state for state in rows.select_related("account", "csm__user")}
    return [
        PlanRow(
            states[h.account_id],
            members.get(h.csm_id) if h.csm_id else None,
            h.why,
            names.get(h.rule_id, "") if h.rule_id else "",
        )
        for h in told
    ]


def recent_runs() -> list[ActionReceipt]:
    """The latest acts by rule, newest first."""
    rows = ActionReceipt.objects.filter(verb=ActionReceipt.Verb.ASSIGNED, data__has_key="scope")
    return list(rows.select_related("acted_by").order_by("-acted_at", "-pk")[:10])
