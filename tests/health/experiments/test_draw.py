"""The draw: before anyone acts, in the planned shares, once, the same however often it is asked."""

from collections import Counter

from health.services.experiments import (
    draw,
)
from tests.builders import NOW
from tests.health.experiments.builders import accounts, start


def test_a_tenth_is_held_out_of_every_full_block(scope):
    experiment, ids = start(), accounts(200)
    arms = draw(experiment=experiment, account_ids=ids, now=NOW)
    assert Counter(arms.values()) == {"treatment": 180, "holdout": 20}
