"""The segment pages in the browser's words: the builder, the live count, publishing, one segment, its files."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Segment, SegmentVersion
from accounts.services import segments
from cs_platform.lib.scoping import workspace_scope
from tests.builders import NOW, make_account, make_state

RETAIL = {"field": "industry", "op": "any_of", "value": ["Retail"]}


@pytest.fixture
def client(cast) -> Client:
    with workspace_scope(cast.workspace.pk):
        for name, industry in (("Alpha", "Retail"), ("Beta", "Retail"), ("Gamma", "Logistics")):
            make_state(make_account(name, industry=industry), arr_minor=5_000_000)
    client = Client()
    client.force_login(cast.ada)
    return client


@pytest.fixture
def segment(cast, client) -> Segment:
    with workspace_scope(cast.workspace.pk):
        found = segments.create_segment(name="Shops", acting_user=cast.ada, now=NOW)
        segments.publish_segment(segment=found, definition=RETAIL, acting_user=cast.ada, now=NOW)
        return found


def typed(*rules: tuple[str, str, str], joiner: str = "all", **rest: str) -> dict[str, object]:
    """The inputs of a builder with these conditions in one group."""
    data: dict[str, object] = {"tree": ["r:group"], "tree.r.joiner": joiner, **rest}
    for at, (field, op, value) in enumerate(rules):
        data["tree"] = [*data["tree"], f"r.{at}:rule"]  # type: ignore[misc]
        data |= {f"tree.r.{at}.field": field, f"tree.r.{at}.op": op, f"tree.r.{at}.value": value}
    return data


def words(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", response.content.decode()))


def test_a_rule_is_typed_and_published(client, cast):
    data = typed(
        ("arr_minor", "gte", "50,000"), ("industry", "any_of", "Retail"), name="Big shops", do="publish"
    )
    response = client.post(reverse("accounts:segment_new"), data, follow=True)
    assert response.status_code == 200
    assert "Version 1 is in force: 2 entered, 0 left." in words(response)
    assert "ARR is at least $50,000 and Industry is Retail" in words(response)
    with workspace_scope(cast.workspace.pk):
        assert SegmentVersion.objects.get().definition == {
            "all": [{"field": "arr_minor", "op": "gte", "value": 5_000_000}, RETAIL]
        }


def test_a_mistake_is_named_and_nothing_is_lost(client, cast):
    data = typed(("arr_minor", "gte", "a lot"), ("industry", "any_of", ""), name="Big shops", do="publish")
    response = client.post(reverse("accounts:segment_new"), data)
    assert response.status_code == 422
    assert "Enter a number." in words(response)
    assert "Choose at least one value." in words(response)
    assert 'value="a lot"' in response.content.decode()
    with workspace_scope(cast.workspace.pk):
        assert not Segment.objects.exists()


@pytest.mark.parametrize(
    ("act", "rules", "groups"), [("add:r", 2, 1), ("group:r", 2, 2), ("drop:r.0", 1, 1), ("nonsense", 1, 1)]
)
def test_the_buttons_work_without_javascript_and_save_nothing(client, cast, act, rules, groups):
    data = typed(("industry", "any_of", "Retail"), name="Shops", **{"tree.act": act})
    response = client.post(reverse("accounts:segment_new"), data)
    page = response.content.decode()
    assert response.status_code == 200
    assert page.count(':rule"') == rules
    assert page.count(':group"') == groups
    assert 'value="Shops"' in page
    with workspace_scope(cast.workspace.pk):
        assert not Segment.objects.exists()


def test_the_count_follows_the_typing(client):
    url = reverse("accounts:segment_rules")
    response = client.post(
        f"{url}?name=tree", typed(("industry", "any_of", "Retail")), headers={"HX-Request": "true"}
    )
    assert "2 accounts match, of 3." in words(response)
    assert "Alpha" in words(response)
    unfinished = client.post(f"{url}?name=tree", typed(("arr_minor", "gte", "")))
    assert "Finish the conditions" in words(unfinished)
    empty = client.post(f"{url}?name=tree", {})
    assert empty.status_code == 200


def test_another_field_brings_its_own_comparisons(client):
    url = reverse("accounts:segment_rules")
    response = client.post(f"{url}?name=tree", typed(("renews_at", "gte", "5")))
    page = response.content.decode()
    assert '<option value="next_days" selected>' in page
    assert 'value="5"' not in page


def test_the_editor_says_who_would_enter_and_leave(client, segment):
    url = reverse("accounts:segment_rules")
    response = client.post(
        f"{url}?name=tree&segment={segment.public_id}", typed(("name", "any_of", "Beta, Gamma"))
    )
    assert "1 account would enter" in words(response)
    assert "1 account would leave" in words(response)


def test_a_draft_keeps_mistakes_and_moves_nobody(client, cast, segment):
    url = reverse("accounts:segment_edit", args=[segment.public_id])
    client.post(url, typed(("arr_minor", "gte", "a lot"), name="Shops", do="draft"))
    page = client.get(url)
    assert 'value="a lot"' in page.content.decode()
    assert "You see a draft" in words(page)
    with workspace_scope(cast.workspace.pk):
        assert segments.newest_published(segment).number == 1
    client.post(reverse("accounts:segment_draft_discard", args=[segment.public_id]))
    assert 'value="a lot"' not in client.get(url).content.decode()


def test_a_name_is_taken_once(client, segment):
    response = client.post(
        reverse("accounts:segment_new"), typed(("industry", "any_of", "Retail"), name="Shops", do="publish")
    )
    assert "There is a segment of this name already." in words(response)


def test_one_segment_shows_members_history_and_versions(client, cast, segment):
    page = client.get(reverse("accounts:segment", args=[segment.public_id]))
    assert "2 accounts." in words(page)
    assert "Alpha" in words(page)
    left = client.get(reverse("accounts:segment", args=[segment.public_id]), {"view": "left", "after": "x"})
    assert "Nobody has left yet" in words(left)
    sheet = client.get(reverse("accounts:segment_members", args=[segment.public_id])).content.decode()
    assert sheet.count("\r\n") == 3
    assert "Beta" in sheet


def test_rolling_back_and_deleting(client, cast, segment):
    with workspace_scope(cast.workspace.pk):
        first = segments.newest_published(segment)
        segments.publish_segment(
            segment=segment,
            definition={"field": "name", "op": "contains", "value": "a"},
            acting_user=None,
            now=NOW,
        )
    response = client.post(reverse("accounts:segment_rollback", args=[first.public_id]), follow=True)
    assert "Version 3 is in force" in words(response)
    deletions = reverse("accounts:segment_deletions", args=[segment.public_id])
    assert "This cannot be undone." in words(client.get(deletions))
    client.post(deletions)
    with workspace_scope(cast.workspace.pk):
        assert not Segment.objects.exists()


def test_lists_ask_a_fixed_number_of_questions(client, cast, segment):
    def asked(url: str) -> int:
        with CaptureQueriesContext(connection) as questions:
            assert client.get(url).status_code == 200
        return len(questions)

    def add(n: int) -> None:
        with workspace_scope(cast.workspace.pk):
            more = segments.create_segment(name=f"S{n}", acting_user=None, now=NOW)
            rules = [
                RETAIL,
                {"field": "csm", "op": "set"},
                {"field": "plan", "op": "any_of", "value": ["Pro"]},
            ]
            segments.publish_segment(segment=more, definition={"all": rules}, acting_user=None, now=NOW)

    add(0)
    few = asked(reverse("accounts:segments"))
    for n in range(1, 12):
        add(n)
    assert asked(reverse("accounts:segments")) == few <= 34
    assert asked(reverse("accounts:segment", args=[segment.public_id])) <= 38
