"""Rules over accounts: what is read, what is refused, and that the query means what Python says it means."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account, AccountTrait, Contact, LetGo, Ticket, TraitDefinition
from accounts.queries.segments import accounts_in, describe, matches, moment_at, values_of
from accounts.segments import TreeError, all_fields, holds, parse_tree
from accounts.segments.fields import FieldKind, Form, SegmentField
from health.models import AccountSnapshot, MetricPosition, Risk
from tests.builders import NOW, TODAY, make_account, make_state, make_subscription

METRICS = ("active_days_28", "usage_change_28", "failed_payments_90")
FIELDS = (
    "csm industry country name domain created_at has_champion let_go plan billing_interval subscription_status"
    " overdue_invoice open_ticket_priority ticket_opened_at trait:tier trait:seats trait:beta trait:go_live"
    " lifecycle is_customer arr_minor mrr_minor renews_at started_at health_score health_band health_change"
    " coverage churn_probability expected_loss_minor last_seen_on risk"
).split() + [f"metric:{name}" for name in METRICS]


def rule(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def names(tree: Any) -> set[str]:
    return set(accounts_in(parse_tree(tree), now=NOW).values_list("name", flat=True))


@pytest.fixture
def few(scope) -> list[Account]:
    """Accounts that differ in everything that is asked; one has nothing but a name."""
    ben = scope.ben
    for place, key in enumerate(METRICS):
        MetricPosition.objects.create(key=key, position=place)
    traits = {
        key: TraitDefinition.objects.create(key=key, label=key, kind=kind)
        for key, kind in (("tier", "text"), ("seats", "number"), ("beta", "boolean"), ("go_live", "date"))
    }
    made = []
    for at, name in enumerate(("Alpha", "beta", "Gamma", "Delta%", "Bare")):
        account = make_account(
            name,
            csm=ben if at % 2 else None,
            industry=("Logistics", "Retail", "")[at % 3],
            created_at=NOW - timedelta(days=30 * at * at),
        )
        made.append(account)
        if name == "Bare":
            continue
        make_state(
            account,
            arr_minor=1_200_000 * at,
            health_score=None if at == 2 else 25.0 * at,
            health_band=("red", "yellow", "", "green")[at],
            health_change=(-12.0, 0.0, None, 4.5)[at],
            coverage=0.25 * at,
            churn_probability=None if at == 1 else 0.1 * at,
            renews_at=None if at == 3 else NOW + timedelta(days=40 * at - 40),
            last_seen_on=None if at == 0 else TODAY - timedelta(days=7 * at),
            lifecycle=("trial", "live", "renewing", "lapsed")[at],
            is_customer=at != 3,
        )
        AccountSnapshot.objects.create(
            account=account, as_of=TODAY, values=[float(at), None if at == 1 else -10.0 * at, 1.0]
        )
        AccountSnapshot.objects.create(
            account=account, as_of=TODAY - timedelta(days=1), values=[99.0, 99.0, 99.0]
        )
        values = (("gold", None), (str(5 * at), 5.0 * at), ("yes", float(at % 2)), ("2026-11-20", 20_777.0))
        for key, (text, number) in list(zip(traits, values, strict=True))[: at + 1]:
            AccountTrait.objects.create(
                account=account, definition=traits[key], value_text=text, value_number=number
            )
    AccountTrait.objects.create(
        account=made[1], definition=traits["tier"], value_text="silver", known_at=NOW - timedelta(days=1)
    )
    make_subscription(made[0])
    make_subscription(made[1], billing_interval="year", status="past_due", ended_at=NOW - timedelta(days=1))
    Ticket.objects.create(account=made[2], external_id="t", priority="urgent", opened_at=NOW)
    Contact.objects.create(account=made[3], external_id="c", is_champion=True, created_at=NOW)
    LetGo.objects.create(account=made[0], note="small", decided_at=NOW)
    Risk.objects.create(account=made[1], cause="gone_quiet", severity=2, opened_on=TODAY, refreshed_on=TODAY)
    return made


def test_missing_data_matches_only_what_says_so(few):
    assert names(rule("health_score", "lt", 1000)) == {"Alpha", "beta", "Delta%"}
    assert names(rule("health_score", "empty")) == {"Gamma", "Bare"}
    assert names(rule("health_band", "none_of", ["red"])) == {"beta", "Gamma", "Delta%", "Bare"}
    assert names(rule("industry", "empty")) == {"Gamma"}
    assert names(rule("is_customer", "no")) == {"Delta%", "Bare"}


def test_groups_nest(few):
    tree = {"any": [rule("let_go", "yes"), {"all": [rule("plan", "empty"), rule("health_score", "gte", 20)]}]}
    assert names(tree) == {"Alpha", "beta", "Delta%"}


def test_money_and_percent_compare_in_the_units_they_are_typed_in(few):
    assert names(rule("mrr_minor", "gte", 200_000)) == {"Gamma", "Delta%"}
    assert names(rule("churn_probability", "gte", 20)) == {"Gamma", "Delta%"}
    assert names(rule("coverage", "eq", 50)) == {"Gamma"}


def test_the_latest_known_trait_and_the_latest_snapshot_count(few):
    assert names(rule("trait:tier", "any_of", ["gold"])) == {"Alpha", "Gamma", "Delta%"}
    assert names(rule("trait:tier", "any_of", ["silver"])) == {"beta"}
    assert names(rule("metric:active_days_28", "gte", 2)) == {"Gamma", "Delta%"}


def test_days_are_the_workspaces_own(few):
    assert names(rule("renews_at", "next_days", 0)) == {"beta"}
    assert names(rule("renews_at", "past_days", 40)) == {"Alpha", "beta"}
    assert names(rule("last_seen_on", "more_days_ago", 13)) == {"Gamma", "Delta%"}
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    Account.objects.filter(name="Bare").update(created_at=late)
    tree = parse_tree(rule("created_at", "from", "2026-11-21"))
    assert not matches(tree, few[4].pk, now=NOW)
    scope_workspace = few[4].workspace
    scope_workspace.time_zone = "Asia/Seoul"
    scope_workspace.save()
    assert matches(tree, few[4].pk, now=NOW)


def test_a_text_is_only_ever_text(few):
    assert names(rule("name", "contains", "%")) == {"Delta%"}
    assert names(rule("name", "contains", "'; DROP TABLE accounts_account; --")) == set()
    assert names(rule("name", "contains", "ALPHA")) == {"Alpha"}


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        "name",
        {},
        {"all": []},
        {"all": "x"},
        {"all": [], "any": []},
        {"all": [{"all": [{"all": [{"all": [{"all": [{"all": [rule("let_go", "yes")]}]}]}]}]}]},
        {"all": [rule("let_go", "yes")] * 51},
        rule("workspace__owner", "eq", 1),
        rule("state__arr_minor", "gte", 1),
        rule("trait:nobody", "set"),
        rule("metric:nothing", "set"),
        rule("nobody:nothing", "set"),
        rule("nobody", "contains", "x"),
        rule(["name"], "set"),
        rule("arr_minor", "regex", "x"),
        rule("arr_minor", "any_of", ["1"]),
        rule("arr_minor", ["gte"], 1),
        rule("arr_minor", "gte", "1"),
        rule("arr_minor", "gte", True),
        rule("arr_minor", "gte", float("nan")),
        rule("arr_minor", "gte", float("inf")),
        rule("arr_minor", "gte", 1e40),
        rule("arr_minor", "gte", 0.5),
        rule("arr_minor", "between", [5, 1]),
        rule("arr_minor", "between", 5),
        rule("name", "contains", ""),
        rule("name", "contains", "a\x00b"),
        rule("name", "contains", "a" * 301),
        rule("name", "empty"),
        rule("health_band", "any_of", ["purple"]),
        rule("health_band", "any_of", []),
        rule("health_band", "any_of", [1]),
        rule("csm", "any_of", ["not-an-id"]),
        rule("segment", "any_of", ["00000000-0000-0000-0000-000000000000"]),
        rule("renews_at", "next_days", -1),
        rule("renews_at", "next_days", 1.5),
        rule("renews_at", "next_days", 1e9),
        rule("renews_at", "before", "31.3.2026"),
        rule("renews_at", "before", "0001-01-01"),
        rule("let_go", "yes", 1),
        rule("let_go", "yes") | {"sql": "1=1"},
    ],
)
def test_what_is_not_known_is_refused(scope, wrong):
    with pytest.raises(TreeError) as caught:
        parse_tree(wrong)
    assert caught.value.problems and str(caught.value)


def test_every_mistake_is_named_at_its_place(scope):
    with pytest.raises(TreeError) as caught:
        parse_tree({"all": [rule("nope", "eq"), {"any": [rule("name", "empty"), rule("arr_minor", "gte")]}]})
    assert [problem.path for problem in caught.value.problems] == ["0", "1.0", "1.1"]


def test_a_segment_may_not_ask_for_segments(scope):
    with pytest.raises(TreeError):
        parse_tree(rule("segment", "any_of", []), without={"segments"})


def test_a_tree_survives_json_and_is_put_into_words(scope):
    tree = parse_tree(
        {"all": [rule("arr_minor", "gte", 5_000_000), {"any": [rule("health_band", "any_of", ["red"]),
         rule("churn_probability", "gte", 40)]}]}
    )  # fmt: skip
    assert parse_tree(tree.as_json()) == tree
    assert (
        describe(tree)
        == "ARR is at least $50,000 and (Band is At risk or Churn probability is at least 40 %)"
    )


def _value(field: SegmentField, form: Form) -> st.SearchStrategy[Any]:
    number = st.one_of(st.integers(-50, 100), st.sampled_from([0, 1_200_000, 2_400_000, 100_000, 25, 50]))
    if field.kind == FieldKind.NUMBER:
        number = st.one_of(number, st.floats(-50, 100, allow_nan=False))
    texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)
    words = st.one_of(st.sampled_from(["Alpha", "beta", "a", "gold", "Logistics", "%", "_", "\\"]), texts)
    if field.is_closed and field.choices:
        one = st.sampled_from([value for value, _label in field.choices()] or ["none"])
    else:
        one = words
    return {
        Form.NOTHING: st.none(),
        Form.NUMBER: number,
        Form.PAIR: st.tuples(number, number).map(sorted),
        Form.LIST: st.lists(one, min_size=1, max_size=3),
        Form.WORDS: words,
        Form.DAYS: st.sampled_from([0, 1, 7, 14, 30, 40, 120, 400]),
        Form.DAY: st.dates(date(2026, 10, 1), date(2026, 12, 31)).map(date.isoformat),
    }[form]


def trees(fields: list[SegmentField]) -> st.SearchStrategy[Any]:
    @st.composite
    def leaf(draw: Any) -> dict[str, Any]:
        field = draw(st.sampled_from(fields))
        operator = draw(st.sampled_from(field.operators))
        return rule(field.name, operator.name, draw(_value(field, operator.form)))

    groups = lambda inner: st.builds(  # noqa: E731
        lambda joiner, children: {joiner: children},
        st.sampled_from(["all", "any"]),
        st.lists(inner, min_size=1, max_size=3),
    )
    return st.recursive(leaf(), lambda inner: groups(inner), max_leaves=6).filter(lambda t: _depth(t) <= 5)


def _depth(tree: dict[str, Any]) -> int:
    children = tree.get("all") or tree.get("any")
    return 1 + max(map(_depth, children)) if children else 0


def _is_blank(data: Any, path: str) -> bool:
    for step in path.split(".") if path else []:
        data = (data.get("all") or data.get("any"))[int(step)]
    value = data.get("value")
    return not all(str(part).strip() for part in (value if isinstance(value, list) else [value]))


def test_an_account_without_a_state_is_no_customer_beside_a_range_too(few):
    """An inner AND over the same join once made the negation forget accounts that nothing is known of."""
    beside = {"any": [rule("arr_minor", "between", [0, 0]), rule("is_customer", "no", None)]}
    alone = rule("is_customer", "no", None)
    without = set(accounts_in(parse_tree(alone), now=NOW).values_list("pk", flat=True))
    assert without and without <= set(accounts_in(parse_tree(beside), now=NOW).values_list("pk", flat=True))


def _some() -> list[SegmentField]:
    known = all_fields()
    return [known[name] for name in FIELDS]


def _every() -> list[SegmentField]:
    # A closed list without an entry, such as segments where there is none, has no value that could be drawn.
    return [one for one in all_fields().values() if not one.is_closed or (one.choices and one.choices())]


@pytest.mark.parametrize(
    ("fields", "examples"), [(_some, 80), pytest.param(_every, 5_000, marks=pytest.mark.soak)]
)
def test_any_valid_tree_agrees_with_python(
    few: list[Account], fields: Callable[[], list[SegmentField]], examples: int
) -> None:
    moment, drawn = moment_at(NOW), fields()
    known = values_of(drawn, [account.pk for account in few], moment=moment)

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(trees(drawn))
    def agrees(data: Any) -> None:
        try:
            tree = parse_tree(data)
        except TreeError as error:
            if not any(_is_blank(data, problem.path) for problem in error.problems):
                raise  # anything else than blanks must be read
            return
        wanted = {account.pk for account in few if holds(tree, known[account.pk], moment)}
        assert set(accounts_in(tree, now=NOW).values_list("pk", flat=True)) == wanted, data
        assert describe(tree)

    agrees()
