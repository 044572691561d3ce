"""Every figure of the recovery tab against a second computation from the raw rows of a simulated business."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import time_machine
from scipy.stats import fisher_exact

from accounts.models import Account, PaymentAttempt
from cs_platform.lib.scoping import workspace_scope
from dunning.cases import steps as s
from dunning.models import DunningStep
from dunning.policy.classes import CLASS_WORDS, DeclineClass
from dunning.recovery import WeekOfTries, failure_alarms
from dunning.services.demo.history import write_past_cases
from dunning.services.notice_holdout import is_held_out
from dunning.services.policies import version_in_force
from health.models import Assignment
from health.services.simulation.writing import write_business
from health.simulation import SimulationSpec
from tests.accounts.web import web
from tests.builders import make_account
from tests.dunning.builders import make_case
from tests.dunning.recovery import recomputed as again

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SINCE = date(2025, 12, 1)  # twelve months, the running one included


@dataclass
class World:
    cast: Any
    rows: list[again.Told]
    tries: dict[date, tuple[int, int]]

    @property
    def zone(self) -> Any:
        return self.cast.workspace.zone

    def sheet(self, name: str, **query: str) -> list[dict[str, str]]:
        answer = web(self.cast.ada).get("/reports/export/", {"report": name, **query})
        return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))

    @property
    def page(self) -> str:
        text: str = web(self.cast.ada).get("/reports/", {"tab": "recovery"}).content.decode()
        return text


@pytest.fixture
def world(cast: Any) -> Iterator[World]:
    """A year of 90 accounts in four currencies; refusals that change from try to try; some payments still open, one
    of them in a currency without a rate."""
    cast.workspace.time_zone = "Asia/Seoul"  # where what fails in the evening of UTC belongs to the next day
    cast.workspace.save(update_fields=["time_zone"])
    with time_machine.travel(NOW, tick=False):
        spec = SimulationSpec(end=NOW.date(), accounts=90, days=330, seed=4, events_per_account_day=0)
        write_business(workspace=cast.workspace, spec=spec, acting_user=None)
        with workspace_scope(cast.workspace.pk):
            PaymentAttempt.objects.filter(number=2, status="failed", invoice_id__in=_every_third()).update(
                decline_code="processing_error"
            )
            write_past_cases(now=NOW)
            PaymentAttempt.objects.filter(number=2, status="failed", invoice_id__in=_every_third()).update(
                brand="jcb", country="JP"
            )
            account = make_account("Northwind")
            for number, currency in enumerate(("USD", "EUR", "CHF", "KRW")):
                failed_at = NOW - timedelta(days=3 * number + 1)
                make_case(account, number + 1, failed_at=failed_at, currency=currency, card={"brand": "visa"})
            _called(account)
            _just_told(make_account("Southwind"))
            zone = cast.workspace.zone
            yield World(cast, again.all_told(zone), again.first_tries(zone, since=SINCE))


def _called(account: Account) -> None:
    """A CSM took it over, then the customer entered another card."""
    failed_at = NOW - timedelta(days=20)
    paid_at = failed_at + timedelta(days=6)
    case = make_case(
        account,
        9,
        failed_at=failed_at,
        state="recovered",
        recovered_by="person",
        recovered_minor=10_000,
        closed_at=paid_at,
        handed_over_at=paid_at,
        card_updated_at=paid_at,
        card={"brand": "mastercard"},
    )
    details = (s.HandedOver(), s.CardUpdated(), s.RetrySucceeded(amount_minor=10_000, made_by="person"))
    for number, detail in enumerate(details, start=2):
        step = s.Step(paid_at, detail)
        DunningStep.objects.create(
            case=case, number=number, kind=step.kind, detail=step.detail_json(), happened_at=paid_at
        )


def _just_told(account: Account) -> None:
    """Drawn for the test of the middle notices, told, and its time still runs."""
    failed_at = NOW - timedelta(days=2)
    assert is_held_out(version=version_in_force(), account_id=account.pk, now=failed_at) in (True, False)
    case = make_case(account, 1, failed_at=failed_at, card={"brand": "visa"})
    step = s.Step(failed_at, s.NoticeBegun(reason="hard"))
    DunningStep.objects.create(
        case=case, number=2, kind=step.kind, detail=step.detail_json(), happened_at=failed_at
    )


def _every_third() -> list[int]:
    ids = PaymentAttempt.objects.filter(number=2, status="failed").order_by("pk")
    return list(ids.values_list("invoice_id", flat=True))[::3]


def money(minor: int) -> str:
    return f"{minor / 100:.2f}"


def compared(sheet: dict[str, str], wanted: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Where they differ: what the sheet says, what it should say."""
    said = {
        name: "" if value is None else money(value) if name.endswith("_USD") else str(value)
        for name, value in wanted.items()
        if name in sheet
    }
    return {name: (sheet[name], value) for name, value in said.items() if sheet[name] != value}


def test_each_week_by_cause_in_number_and_money(world: World) -> None:
    _has_something_of_everything(world)
    _weeks(world)
    _part_of_the_year(world)
    _currencies(world)


def _has_something_of_everything(world: World) -> None:
    causes = again.grouped(world.rows, lambda row: row.cause)
    assert set(causes) == {"", "silent_retry", "notice", "person", "elsewhere"}
    assert {row.state for row in world.rows} == {"open", "recovered", "lost"}
    assert len({row.currency for row in world.rows}) >= 4 and any(row.worth is None for row in world.rows)
    assert len({row.kind for row in world.rows}) >= 5 and len({row.plan for row in world.rows}) >= 3


def _weeks(world: World) -> None:
    weeks = again.grouped(world.rows, lambda row: row.week(world.zone))
    sheet = {date.fromisoformat(row["week"]): row for row in world.sheet("recovered")}
    assert set(weeks) <= set(sheet) and sorted(sheet) == [
        min(weeks) + timedelta(weeks=at) for at in range(len(sheet))
    ]
    wrong = {day: compared(row, again.figures(weeks.get(day, []))) for day, row in sheet.items()}
    assert {day: found for day, found in wrong.items() if found} == {}


def _part_of_the_year(world: World) -> None:
    whole = world.sheet("recovered", **{"from": "2026-06", "to": "2026-08"})
    inside = [
        row
        for row in world.rows
        if date(2026, 6, 1) <= row.failed_at.astimezone(world.zone).date() < date(2026, 9, 1)
    ]
    assert inside and sum(int(row["failed"]) for row in whole) == len(inside)
    assert max(row["week"] for row in whole) == "2026-08-31"


def _currencies(world: World) -> None:
    for line in world.sheet("recovery_amounts"):
        rows = [row for row in world.rows if row.currency == line["currency"]]
        per = 1 if line["currency"] in again.NO_CENTS else 100
        assert (int(line["failed"]), float(line["failed_amount"])) == (
            len(rows),
            sum(row.amount for row in rows) / per,
        )
        back = sum(row.back_amount for row in rows if row.state == "recovered")
        assert float(line["recovered_amount"]) == back / per


def test_each_group(world: World) -> None:
    for report in ("recovery_class", "recovery_brand", "recovery_country", "recovery_split"):
        _groups(world, report)
    _split_that_leaves_some_out(world)


def _groups(world: World, report: str) -> None:
    kinds = {kind.value: str(CLASS_WORDS[kind]) for kind in DeclineClass}
    key = {
        "recovery_class": lambda row: kinds[row.kind],
        "recovery_brand": lambda row: {"amex": "American Express"}.get(row.brand, row.brand.title()),
        "recovery_country": lambda row: row.country or "Unknown",
        "recovery_split": lambda row: row.plan or "No plan",
    }[report]
    groups = again.grouped(world.rows, key)
    sheet = {row["group"]: row for row in world.sheet(report)}
    assert set(sheet) == set(groups) and len(groups) > 1
    wrong = {name: compared(row, again.figures(groups[name])) for name, row in sheet.items()}
    assert {name: found for name, found in wrong.items() if found} == {}


def _split_that_leaves_some_out(world: World) -> None:
    industries = dict(Account.objects.values_list("pk", "industry"))
    groups = again.grouped(world.rows, lambda row: industries[row.account] or "No industry")
    for line in world.sheet("recovery_split", split="industry"):
        assert compared(line, again.figures(groups[line["group"]])) == {}
    page = web(world.cast.ada).get("/reports/", {"tab": "recovery", "split": "segment"}).content.decode()
    assert "none of these groups" in page or "belongs to a group of this split" in page


def test_the_whole_the_failure_rate_and_the_middle_notices(world: World) -> None:
    _steps_and_rates(world)
    _failure_rate(world)
    _middle_notices(world)


def _steps_and_rates(world: World) -> None:
    rows, found = world.rows, again.figures(world.rows)
    silent = found["silent_retry"]
    told, cards = sum(row.was_told for row in rows), sum(row.has_card for row in rows)
    steps = [found["failed"], found["failed"] - silent, told, cards, found["recovered"] - silent]
    assert [int(row["payments"]) for row in world.sheet("recovery_funnel")] == steps
    worked = [row for row in rows if row.was_worked]
    retriable = [row for row in rows if row.kind not in again.NEVER_RETRIED]
    over = found["failed"] - found["open"]
    page = world.page
    for part, whole in (
        (found["recovered"], found["failed"]),
        (sum(row.state == "recovered" for row in retriable), len(retriable)),
        (sum(row.state == "recovered" for row in worked), len(worked)),
        (found["recovered"], over),
        (silent, found["failed"]),
        (found["open"], found["failed"]),
    ):
        assert again.rate(part, whole) in page
    share = f"{100 * found['recovered_USD'] / found['failed_USD']:.1f}%"
    assert f"{share} (${found['recovered_USD'] / 100:,.2f} of ${found['failed_USD'] / 100:,.2f})" in page


def _failure_rate(world: World) -> None:
    sheet = {date.fromisoformat(row["week"]): row for row in world.sheet("failure_rate")}
    said = {day: (int(row["first_attempts"]), int(row["failed"])) for day, row in sheet.items()}
    assert said == world.tries
    known = sorted(again.first_tries(world.zone, since=SINCE - timedelta(weeks=8)).items())
    running = again.monday(NOW, world.zone)
    loud = _loud([(day, *pair) for day, pair in known if day < running])
    assert {day for day, row in sheet.items() if row["stood_out"] == "1"} == {d for d in loud if d in sheet}


def _loud(known: list[tuple[date, int, int]]) -> set[date]:
    """Weeks with as many failures as chance brings in less than one of a hundred, against the eight before."""
    found = set()
    for at, (day, tries, failed) in enumerate(known):
        before = known[max(at - 8, 0) : at]
        all_tries, all_failed = sum(t for _, t, _ in before), sum(f for _, _, f in before)
        if min(tries, all_tries) < 20:
            continue
        table = [[failed, tries - failed], [all_failed, all_tries - all_failed]]
        if fisher_exact(table, alternative="greater").pvalue < 0.01:
            found.add(day)
    return found


def test_the_weeks_that_stand_out_are_fishers() -> None:
    random, start = np.random.default_rng(3), date(2025, 1, 6)
    marked = 0
    for _ in range(20):
        tries = random.integers(5, 90, size=40)
        failed = random.binomial(tries, np.where(random.random(40) < 0.08, 0.25, 0.06))
        weeks = [(start + timedelta(weeks=at), int(tries[at]), int(failed[at])) for at in range(40)]
        loud = {one.week for one in failure_alarms([WeekOfTries(*week) for week in weeks])}
        assert loud == _loud(weeks)
        marked += len(loud)
    assert marked > 20


def test_the_chance_of_a_week_is_fishers() -> None:
    monday = date(2026, 3, 2)
    for tries, failed, usual_tries, usual_failed in (
        (50, 12, 400, 24),
        (30, 9, 260, 20),
        (2000, 190, 16_000, 1000),
    ):
        weeks = [
            WeekOfTries(monday, usual_tries, usual_failed),
            WeekOfTries(monday + timedelta(7), tries, failed),
        ]
        table = [[failed, tries - failed], [usual_failed, usual_tries - usual_failed]]
        wanted = fisher_exact(table, alternative="greater").pvalue
        assert failure_alarms(weeks)[0].p_value == pytest.approx(wanted, rel=1e-6)


def _middle_notices(world: World) -> None:
    drawn = Assignment.objects.select_related("variant").order_by("assigned_at")
    counts = {False: [0, 0], True: [0, 0]}
    for row in drawn:
        theirs = [
            one
            for one in world.rows
            if one.account == row.account_id
            and row.assigned_at <= one.failed_at + timedelta(minutes=3) < row.ends_at
        ]
        first = min(theirs, key=lambda one: one.failed_at)
        if first.was_told and first.failed_at + timedelta(days=28) - timedelta(hours=12) <= NOW:
            counts[row.variant.is_holdout][0] += 1
            counts[row.variant.is_holdout][1] += first.state == "recovered"
    lines = world.sheet("notice_effect")
    assert [[int(line["told"]), int(line["paid"])] for line in lines] == [counts[False], counts[True]]
    assert counts[True][0] > 0 and counts[False][0] > 0
