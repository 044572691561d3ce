"""The queue's read side: order, filters, pages, search, a constant number of queries."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from accounts.models import LetGo, Membership, Role, Workspace
from cs_platform.lib.scoping import workspace_scope
from health.queries.queue import queue_facets, queue_page
from health.queries.queue_filter import QueueFilter
from tests.builders import NOW, TODAY, join, make_workspace, queued

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace("acme")


@pytest.fixture
def ben(workspace: Workspace) -> Membership:
    return join(workspace, "Ben", Role.CSM)


@pytest.fixture
def scope(workspace: Workspace, ben: Membership) -> Iterator[None]:
    with workspace_scope(workspace.pk):
        yield


def names(query: str, ben: Membership, size: int = 50) -> list[str]:
    wanted = QueueFilter.from_query(QueryDict(query), ben)
    return [row.account.name for row in queue_page(wanted, membership=ben, today=TODAY, size=size).rows]


@pytest.mark.usefixtures("scope")
class TestQueue:
    def test_ranks_by_expected_loss_with_arr_first(self, ben: Membership) -> None:
        queued("Small", csm=ben, expected_loss_minor=10)
        queued("Trial", csm=ben, expected_loss_minor=9_999, arr_minor=0, list_arr_minor=100)
        queued("Large", csm=ben, expected_loss_minor=500)
        assert names("", ben) == ["Large", "Small", "Trial"]
        assert names("view=no_arr", ben) == ["Trial"]

    def test_a_csm_sees_their_own_first(self, ben: Membership) -> None:
        queued("Mine", csm=ben)
        queued("Nobodys")
        assert names("", ben) == ["Mine"]
        assert names("csm=none", ben) == ["Nobodys"]
        assert len(names("csm=all", ben)) == 2
        assert names("csm=not-an-id", ben) == []

    def test_filters_narrow(self, ben: Membership) -> None:
        queued("Red", csm=ben)
        queued("Yellow", csm=ben, health_band="yellow", plan="Scale", causes=("usage_dropped",))
        assert names("band=yellow", ben) == ["Yellow"]
        assert names("plan=Scale", ben) == ["Yellow"]
        assert names("cause=risk:gone_quiet", ben) == ["Red"]
        assert names("q=yel", ben) == ["Yellow"]
        assert names("q=ellow", ben) == []

    def test_snoozed_and_let_go_are_out_of_sight(self, ben: Membership) -> None:
        sleeping = queued("Sleeping", csm=ben).queue_entry
        sleeping.snoozed_until = TODAY + timedelta(days=3)
        sleeping.save()
        LetGo.objects.create(account=queued("Gone", csm=ben), note="Too small", decided_at=NOW)
        assert names("", ben) == []
        assert names("view=snoozed", ben) == ["Sleeping"]

    @pytest.mark.parametrize(
        "sort", ["-loss", "loss", "score", "-score", "renewal", "-renewal", "name", "-opened", "arr"]
    )
    def test_pages_follow_each_other_both_ways(self, ben: Membership, sort: str) -> None:
        for number in range(7):
            missing = {"health_score": None, "renews_at": None} if number % 3 == 0 else {}
            queued(f"A{number}", csm=ben, expected_loss_minor=number % 3, **missing)
        everything = names(f"sort={sort}", ben)
        assert len(everything) == 7
        walked, wanted = [], QueueFilter.from_query(QueryDict(f"sort={sort}"), ben)
        page = queue_page(wanted, membership=ben, today=TODAY, size=3)
        while True:
            walked += [row.account.name for row in page.rows]
            if not page.after:
                break
            page = queue_page(
                QueueFilter.from_query(QueryDict(f"sort={sort}&after={page.after}"), ben),
                membership=ben,
                today=TODAY,
                size=3,
            )
        assert walked == everything
        back = QueueFilter.from_query(QueryDict(f"sort={sort}&before={page.before}"), ben)
        page = queue_page(back, membership=ben, today=TODAY, size=3)
        assert [row.account.name for row in page.rows] == everything[3:6]
        assert page.before
        assert page.after

    def test_a_tampered_cursor_starts_over(self, ben: Membership) -> None:
        queued("Only", csm=ben)
        assert names("after=bm9uc2Vuc2U", ben) == ["Only"]

    def test_queries_do_not_grow_with_rows(self, ben: Membership) -> None:
        for number in range(3):
            queued(f"A{number}", csm=ben)
        few = count(ben)
        for number in range(3, 40):
            queued(f"A{number}", csm=ben, causes=("gone_quiet", "usage_dropped"))
        assert count(ben) == few == 5

    def test_facets_count_the_view_before_narrowing(self, ben: Membership) -> None:
        queued("Red", csm=ben)
        queued("Yellow", csm=ben, health_band="yellow", causes=("usage_dropped", "gone_quiet"))
        facets = queue_facets(QueueFilter.from_query(QueryDict("band=red"), ben), membership=ben, today=TODAY)
        assert facets.accounts == 2
        assert {choice.value: choice.count for choice in facets.bands} == {"red": 1, "yellow": 1, "green": 0}
        assert {choice.value: choice.count for choice in facets.causes} == {
            "risk:gone_quiet": 2,
            "risk:usage_dropped": 1,
        }
        assert [choice.active for choice in facets.bands] == [True, False, False]


def count(ben: Membership) -> int:
    wanted = QueueFilter.from_query(QueryDict(""), ben)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        queue_page(wanted, membership=ben, today=TODAY)
        queue_facets(wanted, membership=ben, today=TODAY)
    return len(captured)
