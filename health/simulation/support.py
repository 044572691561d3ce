"""Support tickets: more of them while things go wrong or are new, slower and worse rated in trouble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np

from health.simulation.companies import SimulatedAccount
from health.simulation.history import History
from health.simulation.lanes import Floats
from health.simulation.people import SimulatedContact
from health.simulation.rhythm import COUNTRIES, rhythm

Priority = Literal["low", "normal", "high", "urgent"]
_QUESTIONS = {
    "en": (
        "How do I add a second approver?",
        "Can we import last year's spreadsheet?",
        "Invite link for a new colleague",
        "Where do I change the invoice address?",
        "Question about weekly report layout",
        "Can the export run every Monday?",
        "Which browser versions are supported?",
        "Rename a department without losing its history?",
        "Template for the monthly management report",
        "Difference between viewer and editor",
        "Move two people to another team",
        "Set a reminder before month end",
    ),
    "ko": (
        "승인자를 한 명 더 추가하려면 어떻게 하나요?",
        "작년 엑셀 자료를 가져올 수 있나요?",
        "신규 직원 초대 링크 문의",
        "세금계산서 주소 변경 문의",
        "주간 보고서 양식 문의",
        "부서 이름을 바꿔도 기록이 유지되나요?",
        "월말 알림 설정 문의",
    ),
}
_DEFECTS = {
    "en": (
        "Dashboard shows yesterday's numbers",
        "Sync stopped over night",
        "Report export ends with an error",
        "Automation ran twice",
        "Cannot sign in since this morning",
        "Totals differ between report and export",
        "Page takes a minute to load",
        "Approval mail never arrived",
        "Attachment opens empty",
        "Filter by region returns nothing",
        "Report sent to people who left",
        "Chart colours swapped after the update",
    ),
    "ko": (
        "대시보드 수치가 갱신되지 않습니다",
        "야간 동기화가 중단되었습니다",
        "보고서 내보내기 오류",
        "자동화가 두 번 실행됨",
        "오늘 아침부터 로그인이 되지 않습니다",
        "승인 메일이 도착하지 않습니다",
        "첨부 파일이 비어 있습니다",
    ),
}


@dataclass(frozen=True, slots=True)
class SimulatedTicket:
    """A support case; ``satisfaction`` is 1-5 where the customer rated it, ``closed_at`` None while open."""

    external_id: str
    account: int
    contact: int
    subject: str
    priority: Priority
    opened_at: datetime
    closed_at: datetime | None
    satisfaction: int | None


class People:
    """Finds somebody present at an account on a day, the busiest people most often."""

    def __init__(self, contacts: Sequence[SimulatedContact], accounts: int) -> None:
        self._contacts = contacts
        self._of: list[list[int]] = [[] for _ in range(accounts)]
        for index, person in enumerate(contacts):
            self._of[person.account].append(index)

    def present(self, account: int, day: int) -> list[int]:
        """Indexes of the contacts there on this day."""
        return [
            i for i in self._of[account] if self._contacts[i].joined_day <= day < self._contacts[i].left_day
        ]

    def pick(self, account: int, day: int, rng: np.random.Generator) -> int | None:
        """One of them by share of work, None where nobody is left."""
        there = self.present(account, day)
        if not there:
            return None
        weight = np.array([self._contacts[i].weight for i in there])
        return int(there[int(np.searchsorted(np.cumsum(weight), rng.random() * weight.sum()))])


def make_tickets(
    history: History,
    accounts: Sequence[SimulatedAccount],
    contacts: Sequence[SimulatedContact],
    rng: np.random.Generator,
) -> tuple[SimulatedTicket, ...]:
    """All tickets in order of opening day."""
    people = People(contacts, len(accounts))
    defects = _defect_rates(history, accounts)
    questions = _question_rates(history, accounts)
    tickets: list[SimulatedTicket] = []
    for day in range(history.spec.days):
        for is_defect, rates in ((True, defects), (False, questions)):
            for account in np.flatnonzero(rng.random(rates.shape[1]) < rates[day]).tolist():
                contact = people.pick(account, day, rng)
                if contact is not None:
                    ticket = _ticket(
                        len(tickets) + 1, history, accounts[account], account, contact, day, is_defect, rng
                    )
                    tickets.append(ticket)
    return tuple(tickets)


def _work(history: History, accounts: Sequence[SimulatedAccount]) -> Floats:
    columns = np.array([COUNTRIES.index(account.country) for account in accounts])
    size = history.first.seats.astype(float) ** 0.4 / 2.5
    work: Floats = rhythm(history.spec)[:, columns] * size * np.minimum(history.activity, 1.2) ** 0.5
    return work


def _defect_rates(history: History, accounts: Sequence[SimulatedAccount]) -> Floats:
    rates: Floats = _work(history, accounts) * (0.004 + 0.19 * np.maximum(history.frustration - 0.15, 0))
    return rates


def _question_rates(history: History, accounts: Sequence[SimulatedAccount]) -> Floats:
    """Newcomers ask, later few do."""
    day = np.arange(history.spec.days)[:, None]
    age = np.maximum(day - history.first.first_day, 0)
    rates: Floats = _work(history, accounts) * (0.009 + 0.06 * np.exp(-age / 25.0))
    return rates


def _ticket(
    number: int,
    history: History,
    account: SimulatedAccount,
    lane: int,
    contact: int,
    day: int,
    is_defect: bool,
    rng: np.random.Generator,
) -> SimulatedTicket:
    spec, trouble = history.spec, float(history.frustration[day, lane])
    subjects = (_DEFECTS if is_defect else _QUESTIONS)[account.language]
    shares = (0.05, 0.4, 0.38, 0.17) if is_defect else (0.35, 0.55, 0.09, 0.01)
    local_hour = float(rng.uniform(8.5, 17.5))
    opened = spec.moment(day, (local_hour - account.utc_offset_hours) * 3600)
    hours = float(rng.lognormal(np.log(14 if is_defect else 7) + 0.9 * trouble, 0.9))
    closed = opened + timedelta(hours=hours)
    over = closed < spec.moment(spec.days)
    rated = bool(rng.random() < 0.4)  # drawn in any case, so that a later end changes nothing before it
    rating = int(np.clip(np.rint(rng.normal(4.5 - 1.5 * trouble - 0.008 * min(hours, 150), 0.8)), 1, 5))
    return SimulatedTicket(
        external_id=f"tic-{spec.seed}-{number:06d}",
        account=lane,
        contact=contact,
        subject=str(rng.choice(subjects)),
        priority=rng.choice(("low", "normal", "high", "urgent"), p=shares),
        opened_at=opened,
        closed_at=closed if over else None,
        satisfaction=rating if over and rated else None,
    )
