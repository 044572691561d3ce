"""The kill test sees bugs: each of six, planted into its workers, turns its judgement red."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dunning.engine.mutants import MUTANTS
from tests.dunning.engine.test_kills import DATABASES, TOO_TAME, Ordeal, judgement
from tests.fake_stripe.running import FakeStripe

pytestmark = [
    pytest.mark.worker,
    pytest.mark.slow,
    pytest.mark.soak,
    pytest.mark.django_db(transaction=True, databases=DATABASES),
]
ORDEAL = Ordeal(160, 6, die=0.02, freeze=0.15, lost=0.1)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_planted_bug_is_seen(fake_stripe: FakeStripe, cast: Any, mutant: str) -> None:
    try:
        found = judgement(fake_stripe, cast, ORDEAL, mutant)
    except AssertionError as never_done:
        found = {"never done": str(never_done)}
    seen = {question: str(answer)[:80] for question, answer in found.items() if question not in TOO_TAME}
    print(mutant, seen)
    assert seen


def test_the_same_ordeal_finds_nothing_without_one(fake_stripe: FakeStripe, cast: Any) -> None:
    assert judgement(fake_stripe, cast, ORDEAL) == {}
