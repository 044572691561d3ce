"""The simulated business is repeatable, consistent and believable in its rates."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import date, datetime

import numpy as np
import pytest

from health.simulation import Business, SimulationSpec, simulate
from health.simulation.plans import ENTERPRISE, SMB
from health.simulation.reasons import REASONS
from health.simulation.refusals import OUTAGE_DAYS, REFUSALS

SMALL = SimulationSpec(end=date(2026, 11, 22), accounts=40, days=120, seed=7)


def test_same_seed_same_business() -> None:
    one, two = simulate(SMALL), simulate(SMALL)
    for part in ("accounts", "contacts", "subscriptions", "invoices", "tickets", "touches", "survey_answers"):
        assert [asdict(row) for row in getattr(one, part)] == [asdict(row) for row in getattr(two, part)]
    for left, right in zip(one.events(), two.events(), strict=True):
        assert np.array_equal(left.time, right.time)
        assert np.array_equal(left.contact, right.contact)


def test_other_seed_other_business() -> None:
    other = simulate(SimulationSpec(end=SMALL.end, accounts=40, days=120, seed=8))
    assert {account.name for account in simulate(SMALL).accounts} != {
        account.name for account in other.accounts
    }


@pytest.mark.parametrize(
    "wrong", [{"accounts": 0}, {"days": 3}, {"language_mix": {"xx": 1.0}}, {"new_share": 2.0}]
)
def test_impossible_sizes_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        SimulationSpec(end=SMALL.end, **wrong)  # type: ignore[arg-type]


def test_identities_are_unique_and_invented(business: Business) -> None:
    for rows in (
        business.accounts,
        business.contacts,
        business.subscriptions,
        business.invoices,
        business.tickets,
    ):
        ids = [row.external_id for row in rows]
        assert len(set(ids)) == len(ids)
    assert len({account.name for account in business.accounts}) == len(business.accounts)
    assert len({person.email for person in business.contacts}) == len(business.contacts)
    assert all(person.email.endswith(".example") for person in business.contacts)


def test_churn_rates_lie_in_what_the_trade_sees(business: Business) -> None:
    segment = business.history.first.segment
    ended = np.array([item.account for item in business.subscriptions if item.ended_at])
    months = business.history.alive.sum(axis=0) / 30.4
    smb = (segment[ended] == SMB).sum() / months[segment == SMB].sum()
    enterprise = (segment[ended] == ENTERPRISE).sum() / months[segment == ENTERPRISE].sum()
    assert 0.018 <= smb <= 0.036
    assert enterprise < smb
    assert 60 <= len(set(ended.tolist())) <= 160


def test_cancellations_carry_reason_and_cause(business: Business) -> None:
    ended = [item for item in business.subscriptions if item.ended_at]
    assert all(item.ended_cause in {"voluntary", "involuntary"} for item in ended)
    voluntary = Counter(item.ended_reason for item in ended if item.ended_cause == "voluntary")
    assert set(voluntary) <= set(REASONS)
    assert len(voluntary) >= 7
    assert all(not item.ended_reason for item in ended if item.ended_cause == "involuntary")


def test_subscription_history_adds_up(business: Business) -> None:
    kinds: Counter[str] = Counter()
    for item in business.subscriptions:
        times = [change.at for change in item.changes]
        assert times == sorted(times), item
        assert all(change.seats > 0 and change.mrr_minor >= 0 for change in item.changes)
        kinds.update(change.kind for change in item.changes)
        assert (item.renews_at is None) == (item.cancel_at is not None)
    assert {"trial", "new", "expansion", "contraction", "price_change", "ended", "reactivation"} <= set(kinds)


def test_nothing_of_the_future_is_told(business: Business) -> None:
    end: datetime = business.spec.moment(business.spec.days)
    assert all(item.ended_at is None or item.ended_at < end for item in business.subscriptions)
    assert all(invoice.issued_at < end for invoice in business.invoices)
    assert all(invoice.paid_at is None or invoice.paid_at < end for invoice in business.invoices)
    assert all(ticket.closed_at is None or ticket.closed_at < end for ticket in business.tickets)
    assert all(touch.at < end for touch in business.touches)


def test_the_end_shows_different_troubles_among_a_healthy_majority(business: Business) -> None:
    last, energy = business.history.last, business.history.energy[-1]
    alive = last.alive
    share = {
        "weak": float((energy[alive] < -1.0).mean()),
        "no champion": float((~business.history.champion[-1][alive]).mean()),
        "trouble": float((last.frustration[alive] > 0.6).mean()),
        "stalled": float((last.ceiling[alive] < 1).mean()),
        "price": float((last.pressure[alive] > 0.3).mean()),
    }
    assert all(0.01 <= value <= 0.25 for value in share.values()), share
    assert float((energy[alive] > -0.7).mean()) > 0.6
    assert any(invoice.status == "open" and invoice.attempts for invoice in business.invoices)


def test_failed_charges_use_stripes_words(business: Business) -> None:
    codes = Counter(attempt.decline_code for invoice in business.invoices for attempt in invoice.attempts)
    assert codes["insufficient_funds"] > codes["expired_card"] > 0
    assert all(
        attempt.succeeded == (not attempt.decline_code) for i in business.invoices for attempt in i.attempts
    )


def test_cards_fail_as_often_and_come_back_as_often_as_the_trade_says(business: Business) -> None:
    """5 to 9 % of first tries fail, 50 to 75 % of these are paid in the end; a breakdown stands out for a week."""
    by_card = [invoice for invoice in business.invoices if invoice.attempts]
    failed = [invoice for invoice in by_card if not invoice.attempts[0].succeeded]
    assert 0.05 <= len(failed) / len(by_card) <= 0.09
    over = [invoice for invoice in failed if invoice.status != "open"]
    assert 0.5 <= sum(invoice.status == "paid" for invoice in over) / len(over) <= 0.75
    broken = [business.spec.day(day) for day in OUTAGE_DAYS]
    then = [invoice for invoice in by_card if invoice.issued_at.date() in broken]
    if then:
        assert sum(not one.attempts[0].succeeded for one in then) / len(then) > 0.3


def test_a_card_that_was_refused_for_good_is_not_tried_again_by_itself(business: Business) -> None:
    person = {one.code for one in REFUSALS if one.is_person}
    for invoice in business.invoices:
        if invoice.attempts and invoice.attempts[0].decline_code in person:
            assert [one.succeeded for one in invoice.attempts[1:]] in ([], [True])
