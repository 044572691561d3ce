"""Who is in a segment, when they entered and left, and what publishing, rolling back and deleting do."""

from datetime import timedelta

import pytest

from accounts.models import Account, AuditEntry, Job, Segment, SegmentMembership
from accounts.queries.segment_pages import effect_of, history_of, match_of, members_page
from accounts.queries.segments import moment_at
from accounts.registry import SegmentUse, SegmentUser, segment_users
from accounts.segments import TreeError, parse_tree
from accounts.services import segments
from tests.builders import NOW, make_account, make_state

RETAIL = {"field": "industry", "op": "any_of", "value": ["Retail"]}
RED = {"field": "health_band", "op": "any_of", "value": ["red"]}


@pytest.fixture
def segment(scope) -> Segment:
    for name, industry in (("Alpha", "Retail"), ("Beta", "Retail"), ("Gamma", "Logistics")):
        make_state(make_account(name, industry=industry))
    return segments.create_segment(name="Shops", acting_user=scope.ada, now=NOW)


def put(segment, tree, *, now=NOW, user=None):
    return segments.publish_segment(segment=segment, definition=tree, acting_user=user, now=now)


def inside(segment) -> list[str]:
    return [row.account.name for row in members_page(segment, view="members").rows]


def test_publishing_fills_it_at_once_and_says_who_moved(segment):
    version, moved = put(segment, RETAIL)
    assert (version.number, moved.entered, moved.left) == (1, 2, 0)
    segment.refresh_from_db()
    assert inside(segment) == ["Alpha", "Beta"]
    assert (segment.members, segment.refreshed_at) == (2, NOW)


def test_a_night_opens_and_closes_stays_and_keeps_the_past(segment):
    put(segment, RETAIL)
    Account.objects.filter(name="Alpha").update(industry="Logistics")
    Account.objects.filter(name="Gamma").update(industry="Retail")
    night = NOW + timedelta(days=1)
    assert segments.refresh_segments(now=night) == 2
    assert segments.refresh_segments(now=night + timedelta(hours=1)) == 0
    assert inside(segment) == ["Beta", "Gamma"]
    stay = SegmentMembership.objects.get(account__name="Alpha")
    assert (stay.entered_at, stay.left_at) == (NOW, night)
    Account.objects.filter(name="Alpha").update(industry="Retail")
    segments.refresh_segments(now=night + timedelta(days=1))
    assert SegmentMembership.objects.filter(account__name="Alpha").count() == 2


def test_the_past_by_day(segment):
    put(segment, RETAIL, now=NOW - timedelta(days=3))
    Account.objects.filter(name="Alpha").update(industry="Logistics")
    segments.refresh_segments(now=NOW - timedelta(days=1))
    segment.refresh_from_db()
    days = history_of(segment, moment=moment_at(NOW))
    assert [(d.entered, d.left, d.members) for d in days[-5:]] == [
        (0, 0, 0),
        (2, 0, 2),
        (0, 0, 2),
        (0, 1, 1),
        (0, 0, 1),
    ]


def test_what_a_change_would_do_is_said_before(segment):
    put(segment, RETAIL)
    Account.objects.filter(name="Gamma").update(name="Gamma", industry="Logistics")
    other = parse_tree({"field": "name", "op": "any_of", "value": ["Beta", "Gamma"]})
    found = effect_of(segment, match_of(other, now=NOW).ids)
    assert (found.entering, found.leaving) == (1, 1)
    assert [a.name for a in found.entering_names] == ["Gamma"]
    assert [a.name for a in found.leaving_names] == ["Alpha"]
    match = match_of(other, now=NOW)
    assert (match.accounts, match.total) == (2, 3)
    _version, moved = put(segment, other.as_json(), now=NOW + timedelta(hours=1))
    assert (moved.entered, moved.left) == (found.entering, found.leaving)
    back = effect_of(segment, match_of(parse_tree(RETAIL), now=NOW + timedelta(hours=2)).ids)
    assert [a.name for a in back.entering_names] == ["Alpha"], "who left may come again"


def test_rolling_back_puts_the_old_rule_and_its_members_back(segment):
    first, _moved = put(segment, RETAIL)
    put(segment, RED, now=NOW + timedelta(hours=1))
    assert inside(segment) == ["Alpha", "Beta", "Gamma"]
    restored, moved = segments.roll_back_segment(
        version=first, acting_user=None, now=NOW + timedelta(hours=2)
    )
    assert (restored.number, moved.left, inside(segment)) == (3, 1, ["Alpha", "Beta"])


def test_a_wrong_rule_changes_nothing(segment):
    put(segment, RETAIL)
    with pytest.raises(TreeError):
        put(segment, {"field": "health_band", "op": "any_of", "value": ["purple"]})
    with pytest.raises(TreeError):
        put(segment, {"field": "segment", "op": "any_of", "value": [str(segment.public_id)]})
    assert segments.newest_published(segment).number == 1


def test_a_rule_that_can_no_longer_be_read_keeps_its_members(segment):
    version, _moved = put(segment, RETAIL)
    version.definition = {"field": "trait:gone", "op": "set"}
    version.save()
    Account.objects.update(industry="")
    assert segments.refresh_segments(now=NOW + timedelta(days=1)) == 0
    assert inside(segment) == ["Alpha", "Beta"]


def test_a_segment_in_use_stays(segment, monkeypatch):
    by_score, _moved = put(segment, RED)
    put(segment, RETAIL)
    user = SegmentUser("test", lambda found: [SegmentUse("the test", decides_score=True)])
    monkeypatch.setitem(segment_users._items, "test", user)
    with pytest.raises(segments.SegmentInUse) as caught:
        segments.delete_segment(segment=segment, acting_user=None)
    assert "the test" in caught.value.uses
    with pytest.raises(segments.ScoreDecidesItself):
        put(segment, RED)
    with pytest.raises(segments.ScoreDecidesItself):
        segments.roll_back_segment(version=by_score, acting_user=None, now=NOW)
    put(segment, RETAIL)


def test_deleting_takes_the_history_along(segment):
    put(segment, RETAIL)
    segments.delete_segment(segment=segment, acting_user=None)
    assert not SegmentMembership.objects.exists()
    assert not Segment.objects.exists()


def test_every_act_is_in_the_log_and_told_upward(segment, scope):
    put(segment, RETAIL, user=scope.ada)
    actions = set(AuditEntry.objects.filter(actor=scope.ada).values_list("action", flat=True))
    assert {"accounts.segment.created", "accounts.segment.published"} <= actions
    assert Job.objects.filter(kind="health.segment_changed", object_id=segment.pk).exists()
