"""The health score's arithmetic: known cards by hand, identities by search."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from health.scoring import (
    DayFacts,
    DefinitionError,
    MetricTable,
    ScorecardDefinition,
    display_parts,
    explain_change,
    parse_definition,
    score_accounts,
    what_if,
)

NAMES = ("days_active", "tickets_open", "payments")


def card(**changes: Any) -> dict[str, Any]:
    raw: dict[str, Any] = {
        "measures": [
            {"metric": "days_active", "weight": 60, "red": 2, "green": 12},
            {"metric": "tickets_open", "weight": 30, "direction": "down", "red": 10, "green": 0},
            {"metric": "payments", "weight": 50, "red": 0, "green": 1},
        ],
        "exceptions": [{"metric": "payments", "when": "red", "cap": 74.9}],
        "bands": {"yellow": 50, "green": 75},
    }
    return raw | changes


def table(*rows: list[float], ages: list[list[float]] | None = None, tenure: list[float] | None = None):
    return MetricTable(
        NAMES,
        np.array(rows, dtype=float),
        None if ages is None else np.array(ages, dtype=float),
        None if tenure is None else np.array(tenure, dtype=float),
    )


def with_rule(**rule: Any) -> ScorecardDefinition:
    raw = card(exceptions=[])
    raw["measures"][1] |= rule
    return parse_definition(raw)


def test_weights_are_normalised_and_points_are_linear() -> None:
    found = score_accounts(parse_definition(card()), table([7, 5, 1], [12, 0, 1], [99, -5, 4]))
    assert found.score == pytest.approx([(60 * 50 + 30 * 50 + 50 * 100) / 140, 100, 100], abs=1e-5)
    assert [found.band_name(row) for row in range(3)] == ["yellow", "green", "green"]
    assert sum(parse_definition(card()).shares) == pytest.approx(1)


def test_band_edges_belong_to_the_better_band() -> None:
    raw = {"measures": [{"metric": "days_active", "weight": 3, "red": 0, "green": 100}]}
    found = score_accounts(parse_definition(raw), table([50, 0, 0], [75, 0, 0], [49.999, 0, 0]))
    assert [found.band_name(row) for row in range(3)] == ["yellow", "green", "red"]


def test_missing_data_leaves_the_mean_and_lowers_coverage() -> None:
    found = score_accounts(with_rule(), table([7, np.nan, 1], [np.nan] * 3))
    assert found.score[0] == pytest.approx((60 * 50 + 50 * 100) / 110, abs=1e-5)
    assert found.coverage.tolist() == pytest.approx([110 / 140, 0])
    assert math.isnan(found.score[1])
    assert found.band_name(1) == ""


def test_missing_data_may_count_as_poor() -> None:
    found = score_accounts(with_rule(missing="poor"), table([12, np.nan, 1]))
    assert found.score[0] == pytest.approx(110 / 140 * 100, abs=1e-5)
    assert found.coverage[0] == pytest.approx(110 / 140)


def test_old_values_lose_half_their_weight_per_half_life() -> None:
    rule = with_rule(missing="decay", half_life_days=7)
    found = score_accounts(rule, table(*[[12, 10, 1]] * 3, ages=[[0, 0, 0], [0, 14, 0], [0, 36, 0]]))
    assert found.score[:2] == pytest.approx([110 / 140 * 100, 110 / 117.5 * 100], abs=1e-5)
    assert found.score[2] == 100  # older than five half-lives: no data
    assert found.coverage.tolist() == pytest.approx([1, 117.5 / 140, 110 / 140])


def test_a_stale_value_is_missing_unless_it_decays() -> None:
    found = score_accounts(with_rule(), table([12, 10, 1], ages=[[0, 1, 0]]))
    assert found.score[0] == 100


def test_bands_depend_on_tenure() -> None:
    raw = card(exceptions=[])
    raw["measures"][0]["tenure_bands"] = [
        {"min_tenure_days": 180, "red": 8, "green": 20},
        {"min_tenure_days": 60, "red": 4, "green": 16},
    ]
    found = score_accounts(parse_definition(raw), table(*[[10, 0, 1]] * 4, tenure=[10, 60, 400, np.nan]))
    assert found.points[:, 0].tolist() == pytest.approx([80, 50, 100 / 6, 80])


def test_an_exception_caps_and_is_a_part_of_its_own() -> None:
    definition, facts = parse_definition(card()), table([12, 0, 0], [12, 0, np.nan])
    heavy = parse_definition(card(exceptions=[{"metric": "payments", "when": "red", "cap": 30}]))
    found = score_accounts(heavy, facts)
    assert found.score[0] == 30
    assert found.exception[1] == 0  # missing is not red
    assert score_accounts(definition, facts).exception[0] == 0  # the mean is below the cap already
    parts = display_parts(heavy, facts, found, 0)
    assert sum(part.contribution for part in parts) == found.score[0]
    assert [part.state for part in parts] == ["green", "green", "red", "capped"]


def test_definition_survives_its_stored_form() -> None:
    definition = parse_definition(card())
    assert parse_definition(definition.as_json()) == definition


@pytest.mark.parametrize(
    ("path", "value", "field", "code"),
    [
        (("measures", 0, "weight"), -1, "measures.0.weight", "out_of_range"),
        (("measures", 0, "red"), "two", "measures.0.red", "not_a_number"),
        (("measures", 0, "green"), 1, "measures.0.green", "order_up"),
        (("measures", 1, "green"), 11, "measures.1.green", "order_down"),
        (("measures", 1, "metric"), "days_active", "measures.1.metric", "metric_twice"),
        (("measures", 2, "metric"), "", "measures.2.metric", "required"),
        (("measures", 2, "metric"), "nope", "measures.2.metric", "unknown_metric"),
        (("measures", 2, "missing"), "guess", "measures.2.missing", "not_a_choice"),
        (("measures", 2, "colour"), 1, "measures.2.colour", "unknown_key"),
        (("exceptions", 0, "metric"), "seats", "exceptions.0.metric", "not_measured"),
        (("exceptions", 0, "cap"), 101, "exceptions.0.cap", "out_of_range"),
        (("bands", "green"), 40, "bands.green", "bands_order"),
        (("measures",), [], "measures", "empty"),
        (("measures",), "x", "measures", "not_a_list"),
    ],
)
def test_a_wrong_draft_names_the_field(path: tuple[Any, ...], value: Any, field: str, code: str) -> None:
    raw: Any = card()
    place = raw
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(DefinitionError) as caught:
        parse_definition(raw, known_metrics=set(NAMES))
    assert (field, code) in {(p.field, p.code) for p in caught.value.problems}


@pytest.mark.parametrize("raw", [None, [], "x", {"measures": [None]}, {"bands": 3}])
def test_nonsense_is_refused_not_crashed_on(raw: Any) -> None:
    with pytest.raises(DefinitionError):
        parse_definition(raw)


value = st.one_of(st.just(np.nan), st.floats(-5, 20))
facts = st.lists(st.tuples(value, st.sampled_from([0.0, 0.0, 3.0, 50.0])), min_size=3, max_size=3)


@st.composite
def definitions(draw: st.DrawFn) -> ScorecardDefinition:
    measures = []
    for name in NAMES:
        red, gap = draw(st.floats(-5, 5)), draw(st.floats(0.5, 15))
        down = draw(st.booleans())
        measures.append(
            {
                "metric": name,
                "weight": draw(st.floats(0.1, 100)),
                "direction": "down" if down else "up",
                "red": red,
                "green": red - gap if down else red + gap,
                "missing": draw(st.sampled_from(["redistribute", "decay", "poor"])),
                "half_life_days": draw(st.sampled_from([1.0, 14.0, 90.0])),
            }
        )
    cap = draw(st.floats(0, 100))
    return parse_definition(
        {"measures": measures, "exceptions": [{"metric": NAMES[0], "when": "yellow", "cap": cap}]}
    )


@st.composite
def days(draw: st.DrawFn) -> DayFacts:
    rows = draw(facts)
    one = table([v for v, _ in rows], ages=[[a for _, a in rows]])
    return DayFacts(draw(definitions()), one, draw(st.one_of(st.none(), st.floats(0, 100))))


@given(days())
def test_parts_sum_exactly_to_the_score(day: DayFacts) -> None:
    found = score_accounts(day.definition, day.table)
    parts = display_parts(day.definition, day.table, found, 0)
    if np.isnan(found.score[0]):
        assert found.coverage[0] == 0
        return
    assert sum(part.contribution for part in parts) == found.score[0]
    assert 0 <= found.score[0] <= 100
    assert 0 <= found.coverage[0] <= 1 + 1e-12
    assert found.weights[0].sum() == pytest.approx(1)


@given(days(), days())
def test_causes_sum_exactly_to_the_move(before: DayFacts, after: DayFacts) -> None:
    change = explain_change(before, after)
    if math.isnan(change.total):
        return
    assert change.behaviour + change.data_expiry + change.configuration + change.override == change.total
    if change.by_metric:
        assert sum(points for _, points in change.by_metric) == change.behaviour


@given(days())
def test_nothing_changed_means_no_cause(day: DayFacts) -> None:
    change = explain_change(day, day)
    if not math.isnan(change.total):
        assert (change.total, change.behaviour, change.data_expiry, change.configuration) == (0, 0, 0, 0)


def test_each_cause_is_found_alone() -> None:
    definition, other = parse_definition(card()), parse_definition(card())
    heavier = card()
    heavier["measures"][0]["weight"] = 600
    start = DayFacts(definition, table([7, 5, 1]))
    assert explain_change(start, DayFacts(other, table([3, 5, 1]))).behaviour < 0
    assert explain_change(start, DayFacts(definition, table([7, np.nan, 1]))).data_expiry > 0
    assert explain_change(start, DayFacts(parse_definition(heavier), table([7, 5, 1]))).configuration < 0
    change = explain_change(start, DayFacts(definition, table([7, 5, 1]), override=20))
    assert change.override == change.total < 0


def test_one_row_scores_like_the_same_row_among_many() -> None:
    rng = np.random.default_rng(0)
    many = table(*rng.normal(5, 5, size=(50, 3)).tolist())
    definition = parse_definition(card())
    whole = score_accounts(definition, many).score
    single = [score_accounts(definition, table(row.tolist())).score[0] for row in many.values]
    assert whole.tolist() == single


def test_what_if_counts_and_names_the_accounts() -> None:
    facts = table([12, 0, 1], [7, 5, 1], [2, 10, 0])
    harder = card(bands={"yellow": 80, "green": 90})
    found = what_if(parse_definition(card()), parse_definition(harder), facts, [11, 12, 13])
    assert found.before == {"": 0, "red": 1, "yellow": 1, "green": 1}
    assert found.after == {"": 0, "red": 2, "yellow": 0, "green": 1}
    assert [(m.account_id, m.before, m.after) for m in found.moves] == [(12, "yellow", "red")]
