"""What a sequence would do: every account, person and message, before anything begins."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext

from accounts.models import Account, AccountTrait, Contact, EmailSuppression, Workspace
from accounts.queries.segments import account_ids_in
from accounts.segments import TreeError, parse_tree
from cs_platform.lib.scoping import current_workspace_id
from health.models import AccountState
from health.queries.sequence_people import people_of
from health.registry import sequence_actions, sequence_dates
from health.sequences import controls
from health.sequences.definition import SequenceDefinition
from health.sequences.spec import PreviewContext, StepPreview
from health.sequences.timing import after_wait, around_date

MOST_TURNS = 60


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that would happen. `may_change`: it hangs on a wait whose end nobody knows."""

    number: int
    kind: str
    icon: str
    when: datetime
    preview: StepPreview
    may_change: bool


@dataclass(slots=True)
class Walk:
    """One account's way as the facts stand today."""

    account: Account
    lines: list[Line] = field(default_factory=list)

    @property
    def mails(self) -> int:
        return sum(1 for line in self.lines if line.kind == "mail" and not line.preview.problem)


@dataclass(frozen=True)
class _Facts:
    """What the walks of a page need, read once for all of them."""

    people: dict[int, tuple[Contact, ...]]
    matched: dict[int, set[int]]
    dates: dict[int, dict[int, datetime]]
    blocked: set[bytes]
    shared: dict[str, Any]


def walks(
    definition: SequenceDefinition,
    account_ids: Sequence[int],
    *,
    now: datetime,
    contact: Contact | None = None,
) -> list[Walk]:
    """The ways of these accounts, in their order. Facts are read once a step, not once an account."""
    accounts = Account.objects.filter(pk__in=account_ids).select_related("csm__user")
    by_id = {account.pk: account for account in accounts}
    facts = _facts(definition, account_ids, now)
    zone = Workspace.objects.get(pk=current_workspace_id()).zone
    return [
        _walk(definition, by_id[pk], facts, now=now, zone=zone, contact=contact)
        for pk in account_ids
        if pk in by_id
    ]


def _facts(definition: SequenceDefinition, account_ids: Sequence[int], now: datetime) -> _Facts:
    people = people_of(account_ids)
    matched, dates = {}, {}
    for at, step in enumerate(definition.steps):
        if step.kind in (controls.BRANCH, controls.WAIT_RULE):
            matched[at] = _matching(step.values["tree"], account_ids, now)
        elif step.kind == controls.WAIT_DATE:
            dates[at] = dates_of(account_ids, step.values["date"])
    addresses = [c.email for group in people.values() for c in group]
    return _Facts(people, matched, dates, _blocked(addresses), {})


def _matching(tree: Any, account_ids: Iterable[int], now: datetime) -> set[int]:
    try:
        return account_ids_in(parse_tree(tree), now=now, of=set(account_ids))
    except TreeError:
        return set()


def dates_of(account_ids: Sequence[int], name: str) -> dict[int, datetime]:
    """A date by account, as instants; accounts without it are absent."""
    ids = list(account_ids)
    if name == "created_at":
        rows = Account.objects.filter(pk__in=ids).values_list("pk", "created_at")
    elif name.startswith(controls.TRAIT):
        key = name.removeprefix(controls.TRAIT)
        traits = AccountTrait.objects.filter(account_id__in=ids, definition__key=key)
        rows = [
            (pk, moment)
            for pk, text in traits.order_by("known_at").values_list("account_id", "value_text")
            if (moment := controls.day_instant(text))
        ]
    elif name in sequence_dates:
        return sequence_dates.get(name).find(ids)
    else:
        rows = AccountState.objects.filter(account_id__in=ids).values_list("account_id", name)
    return {pk: moment for pk, moment in rows if moment is not None}


def _blocked(addresses: list[str]) -> set[bytes]:
    """Hashes of addresses that get no optional mail at all; a category alone does not count here."""
    asked = {_hash(address) for address in addresses}
    rows = EmailSuppression.objects.filter(address_hash__in=list(asked), category="", until__isnull=True)
    return {bytes(value) for value in rows.values_list("address_hash", flat=True)}


def _walk(
    definition: SequenceDefinition,
    account: Account,
    facts: _Facts,
    *,
    now: datetime,
    zone: Any,
    contact: Contact | None,
) -> Walk:
    found, clock, unsure = Walk(account), now, False
    place: int | None = 0
    seen: set[int] = set()
    for _turn in range(MOST_TURNS):
        if place is None or place in seen:
            break
        seen.add(place)
        step, target = definition.steps[place], "next"
        values = step.values
        if step.kind == controls.WAIT:
            clock = after_wait(clock, values["amount"], values["unit"], zone=zone)
        elif step.kind == controls.WAIT_DATE:
            moment = facts.dates[place].get(account.pk)
            target = "next" if moment else str(values["missing"])
            if moment:
                clock = max(clock, around_date(moment, values["amount"], values["side"]))
        elif step.kind == controls.WAIT_RULE:
            if account.pk not in facts.matched[place]:
                clock, target, unsure = _late(clock, values), str(values["otherwise"]), True
        elif step.kind == controls.WAIT_ITEM:
            clock, unsure = _late(clock, values), True
        elif step.kind == controls.BRANCH:
            target = str(values["yes"] if account.pk in facts.matched[place] else values["no"])
            unsure = unsure or clock > now
        else:
            line = _line(place, step, account, facts, clock, contact, unsure)
            found.lines.append(line)
            target = "end" if line.preview.ends_run else "next"
        place = definition.after(place, target)
    return found


def _late(clock: datetime, values: Any) -> datetime:
    return clock + timedelta(days=values["amount"])


def _line(
    place: int, step: Any, account: Account, facts: _Facts, when: datetime, contact: Any, unsure: bool
) -> Line:
    action = sequence_actions.get(step.kind)
    people = facts.people.get(account.pk, ())
    preview = action.preview(PreviewContext(account, contact, people, step.values, when, facts.shared))
    if preview.address and _hash(preview.address) in facts.blocked:
        problem = gettext("This person gets no such mail (unsubscribed or not reachable).")
        preview = StepPreview(preview.words, preview.person, preview.address, preview.subject, problem)
    return Line(place + 1, step.kind, action.icon, when, preview, unsure)


def _hash(address: str) -> bytes:
    return hashlib.sha256(address.strip().lower().encode()).digest()
