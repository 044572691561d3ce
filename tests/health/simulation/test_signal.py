"""Churn follows from behaviour: simple behavioural features predict it out of time, with room for noise."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from health.simulation import Business
from health.simulation.usage import KEY_FEATURES, EventBatch

HORIZON = 90
Floats = NDArray[np.float64]


def _auc(score: Floats, label: NDArray[np.bool_]) -> float:
    good, bad = score[~label][:, None], score[label]
    return float((bad > good).mean() + 0.5 * (bad == good).mean())


def _daily(business: Business, rows: NDArray[np.int64], days: NDArray[np.int64]) -> Floats:
    counts = np.zeros((len(business.accounts), business.spec.days))
    inside = (days >= 0) & (days < business.spec.days)
    np.add.at(counts, (rows[inside], days[inside]), 1)
    return counts


class _Frame:
    """Features of every living account at a day, from what the vendor could see by then."""

    def __init__(self, business: Business, events: EventBatch) -> None:
        spec = business.spec
        day = (events.time - spec.start_seconds) // 86400
        account = events.account.astype(np.int64)
        key = np.isin(events.feature, KEY_FEATURES)
        self.all, self.key = _daily(business, account, day), _daily(business, account[key], day[key])
        opened = [((t.opened_at - spec.moment(0)).days, t.account) for t in business.tickets]
        failed = [
            ((a.at - spec.moment(0)).days, i.account)
            for i in business.invoices
            for a in i.attempts
            if a.decline_code
        ]
        self.tickets, self.failed = (
            _daily(business, np.array([a for _, a in rows]), np.array([d for d, _ in rows]))
            for rows in (opened, failed)
        )
        self.seats = np.log(business.history.first.seats)
        self.annual = business.history.first.annual * 1.0
        self.first = business.history.first.first_day
        self.ends = np.full(len(business.accounts), 10**6)
        self.notice = np.full(len(business.accounts), 10**6)
        for item in business.subscriptions:
            if item.ended_at and self.ends[item.account] == 10**6:
                self.ends[item.account] = (item.ended_at + timedelta(hours=16) - spec.moment(0)).days
            if item.cancel_requested_at and self.notice[item.account] == 10**6:
                self.notice[item.account] = (item.cancel_requested_at - spec.moment(0)).days

    def at(self, day: int) -> tuple[Floats, NDArray[np.bool_], NDArray[np.int64]]:
        """Features, labels and account indexes of the accounts without notice on a day."""
        there = np.flatnonzero((self.first < day - 7) & (self.ends > day) & (self.notice > day))
        recent, before = self.all[:, day - 28 : day].sum(1), self.all[:, day - 56 : day - 28].sum(1)
        seen = day - np.array(
            [np.flatnonzero(row[:day])[-1] if row[:day].any() else day - 60 for row in self.all]
        )
        features = np.column_stack(
            [
                np.log1p(recent) - 0.6 * self.seats,
                np.log1p(recent) - np.log1p(before),
                np.log1p(self.key[:, day - 28 : day].sum(1)) - np.log1p(recent),
                np.log1p(np.minimum(seen, 60)),
                np.log1p(self.tickets[:, day - 28 : day].sum(1)),
                self.failed[:, max(day - 28, 0) : day].sum(1),
                self.annual,
                np.log1p(np.maximum(day - self.first, 0)),
            ]
        )
        return features[there], (self.ends[there] <= day + HORIZON), there


def _fit_logistic(x: Floats, y: NDArray[np.bool_], penalty: float = 5.0) -> Floats:
    """Newton's method on the penalised likelihood."""
    x = np.column_stack([np.ones(len(x)), x])
    weights = np.zeros(x.shape[1])
    ridge = penalty * np.eye(x.shape[1])
    ridge[0, 0] = 0
    for _ in range(20):
        p = 1 / (1 + np.exp(-x @ weights))
        hessian = (x * (p * (1 - p))[:, None]).T @ x + ridge
        weights += np.linalg.solve(hessian, x.T @ (y - p) - ridge @ weights)
    return weights


@pytest.fixture(scope="module")
def frame(business: Business, events: EventBatch) -> _Frame:
    """The vendor's view of the business."""
    return _Frame(business, events)


def test_simple_features_predict_churn_out_of_time(business: Business, frame: _Frame) -> None:
    train = [frame.at(day) for day in range(60, 185, 7)]
    x, y = np.concatenate([t[0] for t in train]), np.concatenate([t[1] for t in train])
    mean, scale = x.mean(0), x.std(0) + 1e-9
    weights = _fit_logistic((x - mean) / scale, y)
    # Everything known about the training rows lies before day 275: the embargo is as long as the horizon.
    xt, yt, there = frame.at(275)
    score = weights[0] + ((xt - mean) / scale) @ weights[1:]
    assert 0.68 <= _auc(score, yt) <= 0.92
    truth = business.true_probability(business.spec.day(275), HORIZON, futures=60)[there]
    ranks = [np.argsort(np.argsort(values)) for values in (score, truth)]
    assert np.corrcoef(ranks[0], ranks[1])[0, 1] > 0.35
    assert _auc(truth, yt) > 0.75


def test_true_probabilities_match_what_happens(business: Business, frame: _Frame, tmp_path: Path) -> None:
    as_of = business.spec.day(270)
    truth = business.true_probability(as_of, HORIZON, futures=60)
    there = ~np.isnan(truth)
    happened = (frame.ends > 270) & (frame.ends <= 270 + HORIZON) & there
    assert abs(truth[there].mean() - happened[there].mean()) < 0.05
    written = business.write_truth(tmp_path / "truth.jsonl", as_of, HORIZON)
    lines = (tmp_path / "truth.jsonl").read_text().splitlines()
    assert len(lines) == written == there.sum()
    assert set(json.loads(lines[0])) == {"account", "as_of", "horizon_days", "probability"}
