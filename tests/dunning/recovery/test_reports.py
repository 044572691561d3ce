"""The recovery tab: counts from stored cases, money by the rate of its day, and the alarm that tells once."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from accounts.models import ExchangeRate, Invoice, Notification, PaymentAttempt
from cs_platform.lib.scoping import workspace_scope
from dunning.services.failure_alarm import look_for_alarm
from tests.accounts.web import web
from tests.builders import make_account
from tests.dunning.builders import make_case, make_invoice

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def tried(account, number: int, when: datetime, *, failed: bool) -> None:
    if failed:
        make_invoice(account, number, failed_at=when)
        return
    invoice = Invoice.objects.create(
        account=account,
        external_id=f"in_{account.pk}_{number}",
        amount_minor=10_000,
        currency="USD",
        status="paid",
        due_at=when,
    )
    PaymentAttempt.objects.create(
        invoice=invoice, account=account, number=1, attempted_at=when, status="succeeded"
    )


@pytest.fixture
def business(cast):
    with workspace_scope(cast.workspace.pk):
        ExchangeRate.objects.create(currency="EUR", on_date=date(2026, 1, 1), rate=Decimal("2"))
        account = make_account("Northwind")
        week = datetime(2026, 11, 3, 12, tzinfo=UTC)
        back = {"state": "recovered", "recovered_minor": 10_000}
        make_case(account, 1, failed_at=week, recovered_by="silent_retry", card={"brand": "visa"}, **back)
        make_case(
            account, 2, failed_at=week, recovered_by="notice", currency="EUR", card={"brand": "amex"}, **back
        )
        make_case(
            account, 3, failed_at=week, state="canceled", decline_class="hard_network", card={"brand": "visa"}
        )
        make_case(account, 4, failed_at=week, currency="CHF")
    with time_machine.travel(NOW, tick=False):
        yield cast


def sheet(cast, name: str) -> list[dict[str, str]]:
    response = web(cast.ada).get("/reports/export/", {"report": name})
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))


def test_a_week_counts_all_that_failed_and_values_it_by_its_day(business):
    row = sheet(business, "recovered")[0]
    assert (row["week"], row["failed"], row["recovered"], row["open"]) == ("2026-11-02", "4", "2", "1")
    assert (row["silent_retry"], row["notice"], row["person"]) == ("1", "1", "0")
    # 100 + 2 x 100 + 100 in dollars; francs have no rate and stay out of the sum.
    assert (row["failed_USD"], row["recovered_USD"], row["median_days"]) == ("400.00", "300.00", "4.0")


def test_the_page_shows_every_rate_with_its_denominator(business):
    page = web(business.ada).get("/reports/", {"tab": "recovery"}).content.decode()
    assert "50.0% (2 of 4)" in page and "66.7% (2 of 3)" in page
    assert "in a currency without a rate" in page


def test_groups_are_by_the_card_that_failed_first(business):
    rows = {row["group"]: row for row in sheet(business, "recovery_brand")}
    assert (rows["Visa"]["failed"], rows["Visa"]["recovered"], rows["American Express"]["recovered"]) == (
        "2",
        "1",
        "1",
    )
    assert sum(int(row["failed"]) for row in rows.values()) == 4


def test_another_workspace_sees_nothing_of_it(business):
    page = web(business.zoe).get("/reports/", {"tab": "recovery"}).content.decode()
    assert "No payment failed in these months." in page


def test_the_alarm_tells_each_admin_once(cast):
    with workspace_scope(cast.workspace.pk):
        account = make_account("Northwind")
        for week in range(9):
            when = datetime(2026, 9, 15, 12, tzinfo=UTC) + timedelta(weeks=week)
            for number in range(30):
                tried(account, 100 * week + number, when, failed=number < (15 if week == 8 else 2))
        assert look_for_alarm(now=NOW) > 0
        assert look_for_alarm(now=NOW) == 0
        told = Notification.objects.filter(kind="dunning.failure_rate")
        assert {row.context["failed"] for row in told} == {15}
        assert {row.context["usual_tries"] for row in told} == {240}
