"""Who gets which account: rules in order, room by capacity, and nobody of high value left alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Why(StrEnum):
    """`RULE`: a rule's CSM had room. `OVER`: high value, so given over capacity. `HIGH_VALUE`: no rule matched,
    given because of its value. `FULL`: rules matched, nobody had room. `NO_RULE`: nothing matched."""

    RULE = "rule"
    OVER = "over"
    HIGH_VALUE = "high_value"
    FULL = "full"
    NO_RULE = "no_rule"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account to hand out; `csm_id` is who has it now."""

    account_id: int
    arr_minor: int
    csm_id: int | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One rule: whom it matches, and who may get them."""

    rule_id: int
    matched: frozenset[int]
    pool: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Handing:
    """What becomes of one account; `csm_id` None = stays without one."""

    account_id: int
    csm_id: int | None
    why: Why
    rule_id: int | None = None


@dataclass
class Desks:
    """Accounts per CSM while they are handed out; a capacity of None has no end."""

    capacity: Mapping[int, int | None]
    load: dict[int, int] = field(default_factory=dict)

    def has_room(self, csm_id: int) -> bool:
        most = self.capacity[csm_id]
        return most is None or self.load.get(csm_id, 0) < most

    def fullness(self, csm_id: int) -> tuple[float, int, int]:
        """Share of the capacity in use; where there is none, of the largest one that is known."""
        known = [most for most in self.capacity.values() if most]
        most = self.capacity[csm_id]
        reference = max(known, default=100) if most is None else most
        load = self.load.get(csm_id, 0)
        return (load / reference if reference else float("inf"), load, csm_id)

    def emptiest(self, pool: Sequence[int], *, with_room: bool) -> int | None:
        open_to = [csm for csm in pool if csm in self.capacity and (not with_room or self.has_room(csm))]
        return min(open_to, key=self.fullness, default=None)

    def take(self, account: Candidate, csm_id: int) -> None:
        if account.csm_id is not None:
            self.load[account.csm_id] = self.load.get(account.csm_id, 0) - 1
        self.load[csm_id] = self.load.get(csm_id, 0) + 1


def hand_out(
    candidates: Sequence[Candidate],
    turns: Sequence[Turn],
    *,
    capacity: Mapping[int, int | None],
    load: Mapping[int, int],
    high_value_minor: int | None,
) -> list[Handing]:
    """The accounts of highest value first; the same input gives the same answer.

    An account whose CSM is in the pool of its first rule keeps them. Within a pool the one whose capacity is
    least used gets the next account, which shares them out in turn.
    """
    desks = Desks(capacity, dict(load))
    ordered = sorted(candidates, key=lambda account: (-account.arr_minor, account.account_id))
    return [_hand(account, turns, desks, _is_high(account, high_value_minor)) for account in ordered]


def _is_high(account: Candidate, high_value_minor: int | None) -> bool:
    return high_value_minor is not None and account.arr_minor >= high_value_minor


def _hand(account: Candidate, turns: Sequence[Turn], desks: Desks, is_high: bool) -> Handing:
    matching = [turn for turn in turns if account.account_id in turn.matched]
    if matching and account.csm_id is not None and account.csm_id in matching[0].pool:
        return Handing(account.account_id, account.csm_id, Why.RULE, matching[0].rule_id)
    for turn in matching:
        csm_id = desks.emptiest(turn.pool, with_room=True)
        if csm_id is not None:
            desks.take(account, csm_id)
            return Handing(account.account_id, csm_id, Why.RULE, turn.rule_id)
    if is_high and account.csm_id is None:
        return _never_alone(account, matching, desks)
    why = Why.FULL if matching else Why.NO_RULE
    return Handing(account.account_id, account.csm_id, why, matching[0].rule_id if matching else None)


def _never_alone(account: Candidate, matching: Sequence[Turn], desks: Desks) -> Handing:
    """High value: over capacity rather than without a CSM; by the first rule, else by anybody."""
    for turn in matching:
        csm_id = desks.emptiest(turn.pool, with_room=False)
        if csm_id is not None:
            desks.take(account, csm_id)
            return Handing(account.account_id, csm_id, Why.OVER, turn.rule_id)
    everybody = list(desks.capacity)
    free = desks.emptiest(everybody, with_room=True)
    csm_id = free if free is not None else desks.emptiest(everybody, with_room=False)
    if csm_id is None:
        return Handing(account.account_id, None, Why.FULL)
    desks.take(account, csm_id)
    return Handing(account.account_id, csm_id, Why.OVER if free is None else Why.HIGH_VALUE)
