"""The case board and the page of a case."""

import csv
import io
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cs_platform.lib.scoping import workspace_scope
from tests.accounts.web import web
from tests.builders import NOW, make_account
from tests.dunning.builders import make_case


@pytest.fixture
def cases(cast):
    with workspace_scope(cast.workspace.pk):
        north, south = make_account("Northwind", csm=cast.ben), make_account("Southwind")
        made = [
            make_case(north, 1, failed_at=NOW - timedelta(days=2)),
            make_case(
                south, 2, failed_at=NOW - timedelta(days=1), decline_class="hard_network", amount_minor=99_00
            ),
            make_case(south, 3, failed_at=NOW - timedelta(days=40), state="recovered", recovered_by="notice"),
        ]
    with time_machine.travel(NOW, tick=False):
        yield made


def test_open_cases_stand_first_with_the_money_at_stake(cast, cases):
    page = web(cast.vera.user).get("/dunning/").content.decode()
    assert "Northwind" in page and "Southwind" in page and "2 open cases" in page
    assert page.index("Southwind") < page.index("Northwind")
    assert "$199" in page and "1 of 1 came back" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"csm": "none"}, {"Southwind"}),
        ({"class": "soft_funds"}, {"Northwind"}),
        ({"state": "recovered"}, {"Southwind"}),
        ({"state": "all", "sort": "amount"}, {"Northwind", "Southwind"}),
        ({"state": "uncollectible"}, set()),
    ],
)
def test_filters_narrow_the_board_and_its_sheet(cast, cases, query, found):
    body = web(cast.vera.user).get("/dunning/export.csv", query).content.decode("utf-8-sig")
    assert {row["Account"] for row in csv.DictReader(io.StringIO(body))} == found


def test_a_case_says_what_happened_and_why(cast, cases):
    page = web(cast.vera.user).get(f"/dunning/cases/{cases[0].public_id}/").content.decode()
    assert "Payment failed" in page and "$100 could not be charged" in page
    assert "Not enough money" in page


def test_the_number_of_queries_does_not_grow(cast, cases):
    client = web(cast.ada)

    def count() -> int:
        client.get("/dunning/")
        with CaptureQueriesContext(connection) as seen:
            client.get("/dunning/")
        return len(seen)

    before = count()
    with workspace_scope(cast.workspace.pk):
        for number in range(10, 30):
            make_case(make_account(f"More {number}"), number)
    assert count() == before <= 30
