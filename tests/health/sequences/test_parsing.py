"""A definition is read whole, or every mistake is named beside its step."""

import pytest

from health.sequences.definition import SequenceDefinition
from health.sequences.parsing import SequenceError, parse_sequence
from tests.health.sequences.builders import ASK, EVENING, NORTH, definition

pytestmark = pytest.mark.usefixtures("scope")


def problems(raw):
    with pytest.raises(SequenceError) as caught:
        parse_sequence(raw)
    return {problem.field: problem.message for problem in caught.value.problems}


def test_what_was_read_is_read_again_the_same():
    branch = {"kind": "branch", "tree": NORTH, "yes": "step:s0", "no": "end"}
    first = parse_sequence(definition(EVENING, ASK, branch, audience={"all": [NORTH]}))
    assert parse_sequence(first.as_json()) == first == SequenceDefinition.of_json(first.as_json())


def test_every_mistake_is_named_in_one_round():
    wait = {"kind": "wait", "amount": "soon", "unit": "moons"}
    ask = {**ASK, "title": "", "instruction": "x" * 3000}
    branch = {"kind": "branch", "tree": {"field": "nose"}, "yes": "step:gone", "no": "end"}
    raw = definition(
        wait, ask, branch, {"kind": "dance"}, trigger={"on": "risk", "causes": ["luck"]}, daily_cap=0
    )
    assert set(problems(raw)) == {
        "trigger.causes",
        "steps.0.amount",
        "steps.0.unit",
        "steps.1.title",
        "steps.1.instruction",
        "steps.2.tree",
        "steps.2.yes",
        "steps.3.kind",
        "daily_cap",
    }


@pytest.mark.parametrize("raw", [None, [], "x", {}, {"steps": "x"}, {"steps": [1]}, {"steps": [{"id": "a"}]}])
def test_nonsense_is_refused_in_words(raw):
    assert problems(raw)


def test_a_circle_needs_a_wait():
    back = {"kind": "branch", "tree": NORTH, "yes": "step:s0", "no": "end"}
    assert "steps.0" in problems(definition(ASK, back))
    assert parse_sequence(definition(EVENING, back))


def test_no_step_that_nobody_reaches():
    branch = {"kind": "branch", "tree": NORTH, "yes": "end", "no": "end"}
    assert "steps.1" in problems(definition(branch, ASK))


def test_a_holdout_too_small_to_learn_from_is_refused():
    assert "holdout_percent" in problems(definition(holdout_percent=2))
