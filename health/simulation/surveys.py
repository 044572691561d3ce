"""Survey answers: recommendation scores from 0 to 10, given less often by those who drift away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from health.simulation.companies import SimulatedAccount
from health.simulation.history import History
from health.simulation.people import SimulatedContact

ASK_EVERY_DAYS = 91
_COMMENTS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "detractor": (
            "Slow answers from support and too many errors lately.",
            "Too expensive for what we use.",
            "Reports are hard to set up without help.",
        ),
        "passive": (
            "Does the job. The mobile view could be better.",
            "Good, but the export needs more formats.",
        ),
        "promoter": (
            "Saves us a day of spreadsheet work every week.",
            "Approvals just work, the whole team uses it.",
            "Support is friendly and quick.",
        ),
    },
    "ko": {
        "detractor": ("최근 오류가 잦고 답변이 늦습니다.", "사용량에 비해 비쌉니다."),
        "passive": ("전반적으로 괜찮지만 모바일 화면이 아쉽습니다.",),
        "promoter": ("매주 보고서 작성 시간이 크게 줄었습니다.", "지원팀이 친절하고 빠릅니다."),
    },
}


@dataclass(frozen=True, slots=True)
class SimulatedSurveyAnswer:
    """One ask of a contact; ``score`` is None where nobody answered."""

    account: int
    contact: int
    asked_at: datetime
    answered_at: datetime | None
    score: int | None
    comment: str


def group_of(score: int) -> str:
    """Promoter (9-10), passive (7-8) or detractor (0-6), after Reichheld (2003)."""
    return "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"


def make_answers(
    history: History,
    accounts: Sequence[SimulatedAccount],
    contacts: Sequence[SimulatedContact],
    rng: np.random.Generator,
) -> tuple[SimulatedSurveyAnswer, ...]:
    """Every contact is asked once a quarter, on its own day."""
    answers = []
    slot = rng.integers(0, ASK_EVERY_DAYS, len(contacts))
    for index, person in enumerate(contacts):
        for day in range(int(slot[index]), history.spec.days, ASK_EVERY_DAYS):
            there = person.joined_day + 20 <= day < person.left_day and history.alive[day, person.account]
            if there and history.spec.day(day).weekday() < 5 and rng.random() < 0.5:
                answers.append(_ask(history, accounts[person.account], person, index, day, rng))
    return tuple(answers)


def _ask(
    history: History,
    account: SimulatedAccount,
    person: SimulatedContact,
    contact: int,
    day: int,
    rng: np.random.Generator,
) -> SimulatedSurveyAnswer:
    energy, trouble = (
        float(history.energy[day, person.account]),
        float(history.frustration[day, person.account]),
    )
    asked = history.spec.moment(day, (10 - account.utc_offset_hours) * 3600)
    replies = rng.random() < 0.32 / (1 + np.exp(-1.5 * (energy + 1.0)))
    answered = history.spec.moment(day, (10.2 + rng.exponential(9) - account.utc_offset_hours) * 3600)
    if not replies or answered >= history.spec.moment(history.spec.days):
        return SimulatedSurveyAnswer(person.account, contact, asked, None, None, "")
    feeling = 8.3 + 0.6 * float(history.first.fit[person.account]) + 0.9 * energy - 2.4 * trouble
    score = int(np.clip(np.rint(rng.normal(feeling, 1.5)), 0, 10))
    comment = ""
    if rng.random() < 0.4:
        comment = str(rng.choice(_COMMENTS[person.language][group_of(score)]))
    return SimulatedSurveyAnswer(person.account, contact, asked, answered, score, comment)
