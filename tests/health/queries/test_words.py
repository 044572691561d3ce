"""Numbers in words: expected loss, metrics, charts and their readings."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from health.charts import distribution_chart, movement_chart, score_chart, usage_chart
from health.models import AccountState
from health.queries.account_history import ScorePoint, UsageDay
from health.queries.causes import cause_label, cause_of
from health.queries.expected_loss import expected_loss
from health.queries.metric_words import MetricWords

DAY = date(2026, 11, 20)


def state(**fields: Any) -> AccountState:
    known = {"arr_minor": 100_00, "urgency": 1.5, "expected_loss_minor": 7_50, "currency": "USD"}
    return AccountState(**known | fields)


def test_a_score_stands_in_only_where_no_model_spoke() -> None:
    spoken = expected_loss(state(churn_probability=0.2, health_score=10.0))
    assert (spoken.probability, spoken.stands_in) == (0.2, False)
    stand_in = expected_loss(state(churn_probability=None, health_score=10.0))
    assert (stand_in.probability, stand_in.stands_in) == (pytest.approx(0.9), True)
    assert expected_loss(state(churn_probability=None, health_score=None)).probability is None


def test_without_arr_the_list_price_counts() -> None:
    loss = expected_loss(state(arr_minor=0, list_arr_minor=42_00, health_score=50.0))
    assert (loss.arr_minor, loss.is_list_price) == (42_00, True)


def test_a_cause_without_its_numbers_is_still_named() -> None:
    known = cause_of("risk:gone_quiet", {"days_since_last_seen": 1}, 2, DAY)
    assert known.sentence == "Nobody has used the product for 1 day."
    assert cause_of("risk:gone_quiet", {}, 2, DAY).sentence == "Gone quiet"
    assert cause_label("gone:card_expired") == "Card expired"


def test_values_carry_their_units() -> None:
    words = MetricWords({}, "USD")
    assert words.value("days_since_last_seen", 1) == "1 day"
    assert words.value("stickiness", 42.0) == "42%"
    assert words.value("stickiness", None) == "no data"
    assert words.value("trait:tier", "Gold") == "Gold"
    assert words.label("trait:support_tier") == "Support tier"


def scores(*values: float | None) -> list[ScorePoint]:
    return [
        ScorePoint(DAY + timedelta(days=i), value, "red" if value is not None else "", 1 + i // 2)
        for i, value in enumerate(values)
    ]


def test_the_score_chart_reads_both_ends_and_skips_gaps() -> None:
    chart = score_chart(scores(80, None, 30))
    assert chart.reading == "Fell from 80 on Nov. 20, 2026 to 30 now (Red)."
    assert chart.figure["data"][0]["y"] == [80, None, 30]
    dotted = [shape for shape in chart.figure["layout"]["shapes"] if shape["type"] == "line"]
    assert [shape["x0"] for shape in dotted] == ["2026-11-22"]
    assert score_chart(scores(80)).figure == {}
    assert score_chart(scores(50, 50.4)).reading.startswith("Unchanged at 50")
    assert score_chart(scores(50, 60)).reading.startswith("Rose from 50")


def usage(*events: int) -> list[UsageDay]:
    first = DAY - timedelta(days=len(events))
    return [UsageDay(first + timedelta(days=i), n, min(n, 2)) for i, n in enumerate(events)]


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (10, 5, "Used on 28 of the last 28 days, 50% fewer events"),
        (10, 20, "Used on 28 of the last 28 days, 100% more events"),
        (10, 10, "as many events as"),
        (0, 3, "nothing in the 28 days before"),
    ],
)
def test_the_usage_chart_compares_four_weeks(before: int, now: int, words: str) -> None:
    assert words in usage_chart(usage(*[before] * 28, *[now] * 28)).reading


def test_the_usage_mean_covers_seven_days() -> None:
    people = usage_chart(usage(*[0] * 7, *[2] * 7)).figure["data"][1]["y"]
    assert people[6:] == [0, 0.29, 0.57, 0.86, 1.14, 1.43, 1.71, 2.0]
    assert usage_chart([]).figure == {}


def test_the_distribution_counts_whole_bins_below_the_edge() -> None:
    counts = [0] * 20
    counts[9], counts[10], counts[19] = 1, 2, 1
    chart = distribution_chart(counts)
    assert chart.reading == "25% of the scored accounts are below 50."
    colours = chart.figure["data"][0]["marker"]["color"]
    assert (colours[9], colours[10], colours[15]) == ("--red-mark", "--amber-mark", "--green-mark")
    assert distribution_chart([0] * 20).figure == {}


def test_the_movement_says_whether_red_grew() -> None:
    week = timedelta(weeks=1)
    days = [(DAY - week, {"red": 3}), (DAY, {"red": 5, "green": 1})]
    assert movement_chart(days).reading == "Red accounts rose from 3 to 5."
    assert movement_chart(days[:1]).figure == {}
