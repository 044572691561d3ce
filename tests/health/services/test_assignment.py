"""The assignment run: what was shown is done, as one act, and comes back as one act."""

from datetime import timedelta

import pytest

from accounts.models import Account, AuditEntry, LetGo, Role
from accounts.segments import parse_tree
from accounts.services import segments
from health.models import QueueEntry
from health.queries.assignment import make_plan, rule_rows
from health.services import assignment
from health.services.queue import assign_accounts, undo
from health.services.segments import fill_segments
from tests.builders import NOW, TODAY, join, make_account, make_state, queued

RETAIL = {"field": "industry", "op": "any_of", "value": ["Retail"]}


@pytest.fixture
def team(cast):
    mira = join(cast.workspace, "Mira", Role.CSM)
    return cast.ben, mira


@pytest.fixture
def open_accounts(team, scope) -> list[Account]:
    made = [queued("Alpha", arr_minor=9_000_000)]
    for at, name in enumerate(("Beta", "Gamma", "Delta")):
        account = make_account(name, industry="Retail" if at < 2 else "Logistics")
        make_state(account, arr_minor=1_000_000 * (at + 1))
        made.append(account)
    return made


def rule(name, tree, *pool, on=True):
    return assignment.save_rule(
        rule=None,
        name=name,
        tree=parse_tree(tree) if tree else None,
        pool=pool,
        is_enabled=on,
        acting_user=None,
    )


def csm_of() -> dict[str, str | None]:
    rows = Account.objects.select_related("csm__user")
    return {row.name: row.csm.user.name if row.csm else None for row in rows}


def test_what_was_shown_is_done_and_taken_back_as_one_act(open_accounts, team, scope):
    ben, mira = team
    rule("Shops", RETAIL, mira)
    rule("Rest", None, ben)
    plan = make_plan(scope="unassigned", now=NOW)
    assert plan.counts["changes"] == 4
    assert {d.member.user.name: (d.before, d.after) for d in plan.desks if d.after} == {
        "Ben": (0, 2),
        "Mira": (0, 2),
    }
    receipt = assignment.run_assignment(scope="unassigned", token=plan.token, acting_user=scope.ada, now=NOW)
    assert csm_of() == {"Alpha": "Ben", "Beta": "Mira", "Gamma": "Mira", "Delta": "Ben"}
    assert Account.objects.get(name="Alpha").state.csm == ben
    assert QueueEntry.objects.get(account__name="Alpha").csm == ben
    assert AuditEntry.objects.filter(action="health.queue.assigned", actor=scope.ada).exists()
    by_hand = Account.objects.get(name="Beta")
    assign_accounts(accounts=[by_hand], csm=ben, acting_user=scope.ada, now=NOW)
    undo(receipt=receipt, acting_user=scope.ada, now=NOW)
    assert csm_of() == {"Alpha": None, "Beta": "Ben", "Gamma": None, "Delta": None}


def test_another_plan_than_the_one_shown_is_not_done(open_accounts, team, scope):
    rule("All", None, team[0])
    plan = make_plan(scope="unassigned", now=NOW)
    make_state(make_account("Late"))
    with pytest.raises(assignment.PlanChanged):
        assignment.run_assignment(scope="unassigned", token=plan.token, acting_user=None, now=NOW)
    assert set(csm_of().values()) == {None}


def test_capacity_and_the_promise_to_high_value(open_accounts, team, scope):
    ben, mira = team
    assignment.save_policy(
        high_value_arr_minor=9_000_000,
        is_nightly=False,
        capacities={ben.pk: 1, mira.pk: 0},
        acting_user=scope.ada,
    )
    rule("All", None, mira)
    plan = make_plan(scope="unassigned", now=NOW)
    assert plan.counts["over"] == 1
    assert plan.counts["full"] == 3
    assert plan.rows[0].state.name == "Alpha"
    assert plan.rows[0].csm == mira
    mira.refresh_from_db()
    assert mira.capacity_accounts == 0


def test_rules_that_are_off_unreadable_or_empty_match_nobody(open_accounts, team, scope):
    ben, _mira = team
    rule("Off", None, ben, on=False)
    rule("Empty", None)
    broken = rule("Broken", RETAIL, ben)
    broken.tree = {"field": "trait:gone", "op": "set"}
    broken.save()
    assert make_plan(scope="unassigned", now=NOW).counts["no_rule"] == 4
    assert [row.words for row in rule_rows(currency="USD")] == ["", "", None]


def test_accounts_let_go_and_lapsed_ones_are_left_alone(open_accounts, team, scope):
    rule("All", None, team[0])
    LetGo.objects.create(account=open_accounts[0], note="small", decided_at=NOW)
    make_state(open_accounts[1], is_customer=False)
    assert make_plan(scope="unassigned", now=NOW).counts["changes"] == 2


def test_everybody_anew_moves_only_who_is_in_the_wrong_hands(open_accounts, team, scope):
    ben, mira = team
    assign_accounts(accounts=open_accounts, csm=ben, acting_user=None, now=NOW)
    rule("Shops", RETAIL, mira)
    rule("Rest", None, ben, mira)
    plan = make_plan(scope="all", now=NOW)
    names = {a.pk: a.name for a in open_accounts}
    assert {names[pk] for pk in plan.changes} == {"Beta", "Gamma"}


def test_the_order_can_be_changed(open_accounts, team, scope):
    first, second = rule("First", None, team[0]), rule("Second", None, team[1])
    assignment.move_rule(rule=second, up=True, acting_user=None)
    assert [row.rule.name for row in rule_rows(currency="USD")] == ["Second", "First"]
    assignment.move_rule(rule=second, up=True, acting_user=None)
    assignment.move_rule(rule=first, up=False, acting_user=None)
    assert [row.rule.name for row in rule_rows(currency="USD")] == ["Second", "First"]


def test_new_customers_get_their_csm_at_night_only_where_that_is_wanted(open_accounts, team, scope):
    rule("All", None, team[0])
    fill_segments(as_of=TODAY, now=NOW)
    assert set(csm_of().values()) == {None}
    assignment.save_policy(high_value_arr_minor=None, is_nightly=True, capacities={}, acting_user=None)
    fill_segments(as_of=TODAY, now=NOW + timedelta(days=1))
    assert set(csm_of().values()) == {"Ben"}


def test_a_segment_that_a_rule_asks_for_stays(open_accounts, team, scope):
    shops = segments.create_segment(name="Shops", acting_user=None, now=NOW)
    segments.publish_segment(segment=shops, definition=RETAIL, acting_user=None, now=NOW)
    made = rule("Shops", {"field": "segment", "op": "any_of", "value": [str(shops.public_id)]}, team[0])
    assert len(make_plan(scope="unassigned", now=NOW).changes) == 2
    with pytest.raises(segments.SegmentInUse):
        segments.delete_segment(segment=shops, acting_user=None)
    assignment.delete_rule(rule=made, acting_user=None)
    segments.delete_segment(segment=shops, acting_user=None)
