"""Expected loss, taken apart so that a page can show how the number comes about."""

from __future__ import annotations

from dataclasses import dataclass

from health.models import AccountState


@dataclass(frozen=True, slots=True)
class ExpectedLoss:
    """probability x ARR x urgency. `stands_in`: no model spoke, so (100 - score) / 100 is used.

    `probability` is None when there is neither prediction nor score. Money in minor units of `currency`.
    """

    probability: float | None
    stands_in: bool
    arr_minor: int
    is_list_price: bool
    urgency: float
    total_minor: int
    currency: str


def expected_loss(state: AccountState) -> ExpectedLoss:
    """The parts of the stored figure; the total is the stored one, never computed a second time."""
    stands_in = state.churn_probability is None
    probability = state.churn_probability
    if probability is None and state.health_score is not None:
        probability = (100 - state.health_score) / 100
    is_list_price = not state.arr_minor
    return ExpectedLoss(
        probability=probability,
        stands_in=stands_in,
        arr_minor=state.list_arr_minor if is_list_price else state.arr_minor,
        is_list_price=is_list_price,
        urgency=state.urgency,
        total_minor=state.expected_loss_minor,
        currency=state.currency,
    )
