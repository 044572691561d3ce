"""A draft scorecard judged on what became of the accounts."""

from __future__ import annotations

import numpy as np

from health.scoring import History, MetricTable, parse_definition, replay, score_accounts

GOOD = parse_definition({"measures": [{"metric": "usage", "weight": 1, "red": -1, "green": 1}]})
BLIND = parse_definition({"measures": [{"metric": "noise", "weight": 1, "red": -1, "green": 1}]})


def history(accounts: int = 800, days: int = 12, seed: int = 0) -> History:
    rng = np.random.default_rng(seed)
    usage = rng.normal(size=(accounts, 1)) + rng.normal(0, 0.3, (accounts, days))
    churned = rng.random((accounts, days)) < 1 / (1 + np.exp(3 + 1.5 * usage))
    values = np.column_stack([usage.ravel(), rng.normal(size=accounts * days)])
    return History(
        MetricTable(("usage", "noise"), values),
        np.repeat(np.arange(accounts), days),
        np.tile(np.arange(days) * 30, accounts),
        churned.ravel().astype(np.int64),
    )


def test_a_better_draft_is_called_better_and_the_reverse_worse() -> None:
    found = replay(BLIND, GOOD, history())
    assert (found.verdict, replay(GOOD, BLIND, history()).verdict) == ("better", "worse")
    assert found.gain == found.draft.auc.value - found.live.auc.value
    assert found.draft.auc.low > 0.6
    assert found.draft.precision > found.live.precision
    assert len(found.draft.false_greens) < len(found.live.false_greens)


def test_the_same_card_makes_no_difference() -> None:
    found = replay(GOOD, GOOD, history())
    assert (found.verdict, found.gain, found.recoloured) == ("no_difference", 0, 0)


def test_few_churned_accounts_allow_no_conclusion() -> None:
    assert replay(BLIND, GOOD, history(accounts=30)).verdict == "too_few_churned"


def test_bands_count_every_row_once() -> None:
    facts = history(200)
    found = replay(GOOD, GOOD, facts).live
    assert sum(band.rows for band in found.bands) == facts.churned.size
    assert [band.band for band in found.bands] == ["red", "yellow", "green"]
    assert found.bands[0].rate > found.bands[2].rate


def test_false_greens_left_from_green_and_false_reds_never_left() -> None:
    table = MetricTable(("usage",), np.array([[2.0], [2.0], [-2.0], [-2.0], [np.nan]]))
    facts = History(table, np.array([1, 2, 3, 4, 4]), np.zeros(5, dtype=int), np.array([1, 0, 0, 0, 1]))
    found = replay(GOOD, GOOD, facts, top=2).live
    assert (found.false_greens, found.false_reds, found.precision) == ((1,), (3,), 0.0)


def test_a_later_day_changes_no_earlier_score() -> None:
    facts = history()
    early = facts.as_of < 100
    later = MetricTable(facts.table.metrics, np.where(early[:, None], facts.table.values, 99.0))
    before, after = score_accounts(GOOD, facts.table), score_accounts(GOOD, later)
    assert before.score[early].tolist() == after.score[early].tolist()
