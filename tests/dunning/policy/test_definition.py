"""A policy as JSON: read back equal, and every mistake named at once."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dunning.policy.classes import DeclineClass, NoticeRule
from dunning.policy.definition import PolicyDefinition, RetriedBy
from dunning.policy.parsing import LIMITS, PolicyError, parse_policy


def problems(raw):
    with pytest.raises(PolicyError) as caught:
        parse_policy(raw)
    return {problem.field for problem in caught.value.problems}


def test_the_defaults_are_their_own_json():
    policy = PolicyDefinition.defaults()
    assert (
        parse_policy(policy.to_json())
        == PolicyDefinition.of_json(policy.to_json())
        == policy
        == parse_policy({})
    )
    assert (policy.attempts, policy.window_days) == (8, 14)


def test_what_was_changed_is_read_back():
    raw = PolicyDefinition.defaults().to_json() | {
        "attempts": "5",
        "pay_days": {"*": [-1], "kr": [10, 25]},
        "code_classes": {"do_not_honor": "hard_network", "call_issuer": "soft_unknown"},
        "retried_by": "stripe",
        "handoff_arr_minor": None,
        "card_expiry_days": [],
        "rules": {"soft_funds": {"wait_hours": 48, "notice": "at_once"}},
    }
    policy = parse_policy(raw)
    assert policy.attempts == 5
    assert policy.pay_days == {"*": (-1,), "KR": (10, 25)}
    assert policy.code_classes == {"do_not_honor": DeclineClass.HARD_NETWORK}
    assert policy.retried_by is RetriedBy.STRIPE
    assert policy.rules[DeclineClass.SOFT_FUNDS].notice is NoticeRule.AT_ONCE
    assert PolicyDefinition.of_json(policy.to_json()) == policy


def test_every_mistake_is_named_in_one_round():
    raw = {
        "attempts": 16,
        "window_days": "many",
        "hour_from": 10,
        "hour_until": 10,
        "end_state": "sue",
        "holdout_percent": 3,
        "technical_wait_hours": [],
        "card_expiry_days": [7, 14],
        "pay_days": {"Korea": [1], "*": [32]},
        "marks_uncollectible": "yes",
        "code_classes": {"lost_card": "soft_funds", "made_up": "auth", "call_issuer": "made_up"},
        "rules": {"auth": {"is_retried": True}, "soft_funds": {"wait_hours": 0}, "odd": {}},
        "typo": 1,
    }
    assert problems(raw) == {
        "attempts",
        "window_days",
        "hour_until",
        "end_state",
        "holdout_percent",
        "technical_wait_hours",
        "card_expiry_days",
        "pay_days.Korea",
        "pay_days.*",
        "marks_uncollectible",
        "code_classes.lost_card",
        "code_classes.made_up",
        "code_classes.call_issuer",
        "rules.auth.is_retried",
        "rules.soft_funds.wait_hours",
        "rules.odd",
        "typo",
    }


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"attempts": 9, "window_days": 7}, "attempts"),
        ({"window_days": 31}, "window_days"),
        ({"silent_days": 14, "duration_days": 7}, "silent_days"),
        ({"handoff_days": 30}, "handoff_days"),
        ({"annual_reminder_days": 14}, "annual_reminder_days"),
        ({"code_classes": {"duplicate_transaction": "soft_funds"}}, "code_classes.duplicate_transaction"),
    ],
)
def test_what_must_not_be_put_in_force(raw, field):
    assert field in problems(raw)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([*LIMITS, "rules", "pay_days", "code_classes", "end_state"]), junk))
def test_junk_is_refused_in_words_or_read(raw):
    try:
        policy = parse_policy(raw)
    except PolicyError as error:
        policy = PolicyDefinition.defaults()
        words = [problem.message for problem in error.problems]
    else:
        words = ["read"]
    assert all(words)
    assert parse_policy(policy.to_json()) == policy
