"""The people at the customers: roles, languages, who comes and who goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from health.simulation import vocabulary as words
from health.simulation.companies import SimulatedAccount
from health.simulation.history import History
from health.simulation.lanes import NEVER

Role = Literal["champion", "admin", "user", "billing", "executive sponsor"]
# How much of the work in the product a role does.
_WORK: dict[Role, float] = {
    "champion": 2.4,
    "admin": 1.6,
    "user": 1.0,
    "billing": 0.12,
    "executive sponsor": 0.2,
}
_YEARLY_TURNOVER = 0.12


@dataclass(slots=True)
class SimulatedContact:
    """A person. Present on days with ``joined_day <= day < left_day``; ``weight`` is the work done."""

    external_id: str
    account: int
    name: str
    email: str
    role: Role
    language: str
    joined_day: int
    left_day: int
    weight: float

    @property
    def is_champion(self) -> bool:
        """Whether this person pulls the product through at the customer."""
        return self.role == "champion"


class PeopleBook:
    """Hires and loses people as their account grows, shrinks and loses champions."""

    def __init__(
        self, history: History, accounts: Sequence[SimulatedAccount], rng: np.random.Generator
    ) -> None:
        self._history = history
        self._accounts = accounts
        self._rng = rng
        self._emails: set[str] = set()
        self._of: list[list[SimulatedContact]] = [[] for _ in accounts]

    def tell(self) -> tuple[SimulatedContact, ...]:
        """All contacts, grouped by account in account order."""
        for account in range(len(self._accounts)):
            self._found(account)
        for day, seen in self._history.happenings:
            for kind in ("champion_left", "champion_back", "seats"):
                lanes = seen.lanes.get(kind)
                if lanes is not None:
                    amounts = seen.amounts.get(kind, np.zeros(lanes.size))
                    for lane, amount in zip(lanes.tolist(), amounts.tolist(), strict=True):
                        self._apply(kind, day, lane, int(amount))
        return tuple(person for people in self._of for person in people)

    def _apply(self, kind: str, day: int, account: int, amount: int) -> None:
        if kind == "champion_left":
            self._lose_champion(account, day)
        elif kind == "champion_back":
            self._hire(account, "champion", day)
        elif amount > 0:
            for _ in range(amount):
                if self._rng.random() < 0.9:
                    self._hire(account, "user", day + int(self._rng.integers(0, 12)))
        else:
            users = [p for p in self._of[account] if p.role == "user" and p.joined_day <= day < p.left_day]
            for person in users[:-amount]:
                person.left_day = day

    def _found(self, account: int) -> None:
        """The people there at first: the champion on day one, the others over the first weeks."""
        first = self._history.first
        began, seats = int(first.first_day[account]), int(first.seats[account])
        roles: list[Role] = ["champion", "billing", "admin"]
        if first.segment[account] >= 1:
            roles.append("executive sponsor")
        roles += ["user"] * max(0, round(0.92 * seats) - len(roles) + 1)
        for index, role in enumerate(roles):
            late = 0 if index == 0 else int(self._rng.exponential(4 + 10 * (role == "user")))
            self._hire(account, role, began + min(late, 75))
        if first.champion_back[account] < NEVER:
            self._lose_champion(account, max(began + 1, -int(self._rng.integers(1, 40))))

    def _lose_champion(self, account: int, day: int) -> None:
        for person in self._of[account]:
            if person.is_champion and person.left_day > day:
                person.left_day = day

    def _hire(self, account: int, role: Role, day: int) -> None:
        rng = self._rng
        name, handle = self._name(self._accounts[account].language)
        stays = NEVER if role == "champion" else day + 90 + int(rng.exponential(365 / _YEARLY_TURNOVER))
        number = len(self._of[account]) + 1
        self._of[account].append(
            SimulatedContact(
                external_id=f"{self._accounts[account].external_id}-p{number}",
                account=account,
                name=name,
                email=self._free_address(handle, self._accounts[account].domain),
                role=role,
                language=self._accounts[account].language,
                joined_day=day,
                left_day=stays,
                weight=_WORK[role] * float(rng.lognormal(0, 0.6)),
            )
        )

    def _name(self, language: str) -> tuple[str, str]:
        """A name and its spelling in an address."""
        if language == "ko":
            last, first = (pool[self._rng.integers(len(pool))] for pool in (words.LAST_KO, words.FIRST_KO))
            return f"{last[0]}{first[0]}", f"{first[1]}.{last[1]}"
        given = words.FIRST_EN[self._rng.integers(len(words.FIRST_EN))]
        family = words.LAST_EN[self._rng.integers(len(words.LAST_EN))]
        return f"{given} {family}", f"{given}.{family}".lower()

    def _free_address(self, handle: str, domain: str) -> str:
        address, number = f"{handle}@{domain}", 2
        while address in self._emails:
            address, number = f"{handle}{number}@{domain}", number + 1
        self._emails.add(address)
        return address
