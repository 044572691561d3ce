"""Who gets which account, as plain rules: order, room, fairness, and nobody of high value alone."""

from hypothesis import given
from hypothesis import strategies as st

from health.assigning import Candidate, Turn, Why, hand_out

BEN, MIRA, JOON = 1, 2, 3


def run(candidates, turns, capacity, load=None, high=None):
    found = hand_out(candidates, turns, capacity=capacity, load=load or {}, high_value_minor=high)
    return {h.account_id: (h.csm_id, h.why) for h in found}


def turn(rule_id: int, matched: set[int], *pool: int) -> Turn:
    return Turn(rule_id, frozenset(matched), pool)


def accounts(n: int) -> list[Candidate]:
    return [Candidate(at, 1000 - at) for at in range(1, n + 1)]


def test_the_first_rule_that_matches_decides():
    turns = [turn(1, {1}, BEN), turn(2, {1, 2}, MIRA)]
    found = run(accounts(3), turns, {BEN: None, MIRA: None})
    assert found == {1: (BEN, Why.RULE), 2: (MIRA, Why.RULE), 3: (None, Why.NO_RULE)}


def test_a_full_pool_passes_on_to_the_next_rule_and_then_nobody():
    turns = [turn(1, {1, 2, 3}, BEN), turn(2, {1, 2, 3}, MIRA)]
    found = run(accounts(3), turns, {BEN: 1, MIRA: 1})
    assert [found[at][0] for at in (1, 2, 3)] == [BEN, MIRA, None]
    assert found[3][1] == Why.FULL


def test_accounts_are_shared_out_by_the_share_of_capacity_in_use():
    turns = [turn(1, set(range(1, 31)), BEN, MIRA)]
    found = run(accounts(30), turns, {BEN: 40, MIRA: 20})
    assert sum(csm == BEN for csm, _why in found.values()) == 20


def test_high_value_is_never_left_alone():
    rich, poor = Candidate(1, 100), Candidate(2, 10)
    turns = [turn(1, {1, 2}, BEN)]
    assert run([rich, poor], turns, {BEN: 0}, high=100) == {1: (BEN, Why.OVER), 2: (None, Why.FULL)}
    assert run([rich], [], {BEN: 5}, high=100) == {1: (BEN, Why.HIGH_VALUE)}
    assert run([rich], [], {BEN: 0}, high=100) == {1: (BEN, Why.OVER)}


def test_whoever_has_the_right_csm_keeps_them():
    held = Candidate(1, 100, csm_id=MIRA)
    assert run([held], [turn(1, {1}, BEN, MIRA)], {BEN: None, MIRA: None}, {MIRA: 90})[1][0] == MIRA
    assert run([held], [turn(1, {1}, BEN)], {BEN: None, MIRA: None}, {MIRA: 90})[1][0] == BEN
    assert run([held], [], {BEN: None}, high=1)[1] == (MIRA, Why.NO_RULE)


@given(
    st.lists(st.tuples(st.integers(0, 50), st.sampled_from([None, BEN, MIRA, JOON])), max_size=40),
    st.lists(
        st.tuples(
            st.sets(st.integers(1, 40)), st.lists(st.sampled_from([BEN, MIRA, JOON]), min_size=1, unique=True)
        ),
        max_size=4,
    ),
    st.fixed_dictionaries({csm: st.one_of(st.none(), st.integers(0, 10)) for csm in (BEN, MIRA, JOON)}),
)
def test_whatever_comes_high_value_has_a_csm_and_capacity_holds_for_the_rest(rows, rules, capacity):
    candidates = [Candidate(at, arr, csm) for at, (arr, csm) in enumerate(rows, start=1)]
    turns = [Turn(at, frozenset(matched), tuple(pool)) for at, (matched, pool) in enumerate(rules)]
    load = {csm: sum(c.csm_id == csm for c in candidates) for csm in (BEN, MIRA, JOON)}
    found = hand_out(candidates, turns, capacity=capacity, load=load, high_value_minor=30)
    assert {h.account_id for h in found} == {c.account_id for c in candidates}
    by_id = {h.account_id: h for h in found}
    assert all(by_id[c.account_id].csm_id is not None for c in candidates if c.arr_minor >= 30)
    for csm, most in capacity.items():
        got = [h for h in found if h.csm_id == csm]
        new = [h for h in got if candidates[h.account_id - 1].csm_id != csm]
        if most is not None and any(h.why is not Why.OVER for h in new):
            # Nobody was given more by a rule than there is room for, whatever came over capacity after.
            kept = len(got) - len(new)
            given_by_rule = sum(h.why is not Why.OVER for h in new)
            assert given_by_rule <= most or kept + given_by_rule <= max(most, load[csm])
