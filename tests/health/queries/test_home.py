"""The figures of the first page."""

import pytest

from health.models import AccountState
from health.queries.home import histogram, standing, totals
from tests.builders import TODAY, make_account

pytestmark = pytest.mark.usefixtures("scope")


def test_bands_and_histogram_come_from_one_look():
    scores = [0, 4.99, 5, 33.3, 49, 74, 75, 99.9, 100, None, None]
    for number, score in enumerate(scores):
        AccountState.objects.create(
            account=make_account(f"Account {number}"),
            as_of=TODAY,
            is_customer=number != 3,
            health_score=score,
            health_band="" if score is None else "red" if score < 50 else "yellow" if score < 75 else "green",
            arr_minor=100 + number,
            expected_loss_minor=number,
        )
    found, heights = standing()
    assert (found, heights) == (totals(), histogram())
    assert found.accounts == 10 and sum(heights) == 8 and (heights[0], heights[-1]) == (2, 2)
