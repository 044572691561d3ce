"""The report page: what it counts, what it leaves out and says so, how it is shared and exported."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, ExchangeRate, SavedView, SubscriptionChange
from accounts.services.movements import rebuild_movements
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.web import web
from tests.builders import make_account, make_subscription

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
TABS = ("revenue", "retention", "customers", "recovery")


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def pays(name: str, *terms: tuple[str, int], ended: str = "", currency: str = "USD", **fields) -> Account:
    """An account whose subscription has these terms: (day, MRR in minor units)."""
    account = Account.objects.filter(name=name).first() or make_account(name)
    row = make_subscription(
        account,
        external_id=f"{name}-{terms[0][0]}",
        started_at=day(terms[0][0]),
        ended_at=day(ended) if ended else None,
        mrr_minor=terms[-1][1],
        currency=currency,
        renews_at=None,
        **fields,
    )
    for since, mrr in terms:
        SubscriptionChange.objects.create(
            subscription=row, effective_at=day(since), known_at=day(since), mrr_minor=mrr, currency=currency
        )
    rebuild_movements([account.pk])
    return account


@pytest.fixture
def business(cast):
    """Nine customers at the start of November 2025; three leave, one after another, one comes back; two come new."""
    with workspace_scope(cast.workspace.pk):
        for number in range(6):
            pays(f"Stays {number}", ("2024-03-01", 10_000), ("2026-05-10", 12_000))
        for number, ended in enumerate(("2026-02-10", "2026-04-10", "2026-06-10")):
            pays(f"Leaves {number}", ("2024-03-01", 10_000), ended=ended, ended_reason="too_expensive")
        pays("Leaves 0", ("2026-08-01", 5_000), ended="2026-09-01")
        pays("New early", ("2026-01-05", 90_000))
        pays("New late", ("2026-11-03", 70_000))
    with time_machine.travel(NOW, tick=False):
        yield cast


def sheet(cast, name: str, **query: str) -> list[dict[str, str]]:
    response = web(cast.ada).get("/reports/export/", {"report": name, **query})
    assert response.status_code == 200
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))


def test_every_tab_shows_its_reports_within_thirty_queries(business):
    client = web(business.ada)
    for tab in TABS:
        client.get("/reports/", {"tab": tab})
        with CaptureQueriesContext(connection) as seen:
            response = client.get("/reports/", {"tab": tab, "compare": "1"})
        assert response.status_code == 200
        frame = sum("accounts_notification" in q["sql"] for q in seen) and 10
        assert len(seen) - frame <= 28, tab
    assert "3 of 9" in client.get("/reports/").content.decode()


def test_the_number_of_queries_does_not_grow_with_the_accounts(business):
    client = web(business.ada)

    def count(tab: str) -> int:
        client.get("/reports/", {"tab": tab})
        with CaptureQueriesContext(connection) as seen:
            client.get("/reports/", {"tab": tab})
        return len(seen)

    before = [count(tab) for tab in TABS]
    with workspace_scope(business.workspace.pk):
        for number in range(20):
            pays(f"More {number}", ("2025-03-01", 10_000))
    assert [count(tab) for tab in TABS] == before


def test_nrr_is_of_the_customers_of_the_start_only(business):
    row = sheet(business, "retention", months="12")[-1]
    assert (row["month"], row["customers_year_before"]) == ("2026-10", "9")
    # 9 x 100.00 at the start; six grew to 120.00, three left: 720 / 900. New accounts are not in it.
    assert (row["nrr"], row["grr"]) == ("0.800000", "0.666667")
    assert (row["start_mrr_USD"], row["end_mrr_USD"]) == ("900.00", "720.00")


def test_logo_churn_and_revenue_churn_say_their_denominators(business):
    rows = {row["month"]: row for row in sheet(business, "churn")}
    assert (rows["2026-02"]["lost"], rows["2026-02"]["customers"]) == ("1", "10")
    assert rows["2026-02"]["revenue_churn"] == f"{100 / 1800:.6f}"
    page = web(business.ada).get("/reports/", {"tab": "retention"}).content.decode()
    assert "33.3% (3 of 9)" in page
    assert "fewer than 20 customers" in page


def test_the_month_that_runs_is_marked_and_in_no_rate(business):
    assert [row["month"] for row in sheet(business, "churn")][-1] == "2026-10"
    bridge = sheet(business, "bridge")
    assert (bridge[-1]["month"], bridge[-1]["is_complete"]) == ("2026-11", "0")
    assert {row["is_complete"] for row in bridge[:-1]} == {"1"}
    page = web(business.ada).get("/reports/").content.decode()
    assert "2026-11 so far" in page
    # 12 full months from November 2025 on; the account that came in November 2026 is not among what came.
    assert "$1,070 of MRR came and $350 went" in page


def test_who_comes_back_is_not_new(business):
    rows = {row["month"]: row for row in sheet(business, "bridge")}
    assert (rows["2026-08"]["new"], rows["2026-08"]["reactivation"]) == ("0.00", "50.00")
    assert (rows["2026-01"]["new"], rows["2026-01"]["reactivation"]) == ("900.00", "0.00")


def test_a_split_adds_up_to_the_whole_by_the_plan_of_the_start(business):
    with workspace_scope(business.workspace.pk):
        Account.objects.filter(name__startswith="Leaves").update(industry="Retail")
    rows = {row["group"]: row for row in sheet(business, "breakdown", split="industry")}
    assert (rows["Retail"]["lost"], rows["Retail"]["customers"]) == ("3", "3")
    assert (rows["No industry"]["lost"], rows["No industry"]["customers"]) == ("0", "6")
    assert [row["customers"] for row in sheet(business, "breakdown", split="plan")] == ["9"]


def test_the_reasons_of_leaving(business):
    reasons = {row["reason"]: row["ends"] for row in sheet(business, "leaving")}
    assert reasons == {"too_expensive": "3", "not_given": "1"}


def test_a_currency_without_a_rate_is_said_and_then_counted(business):
    with workspace_scope(business.workspace.pk):
        pays("Foreign", ("2025-01-01", 10_000), currency="EUR")
    client = web(business.ada)
    assert "currency without a rate" in client.get("/reports/").content.decode()
    assert "EUR" in client.get("/settings/rates/").content.decode()
    before = Decimal(sheet(business, "mrr")[-1]["mrr_USD"])
    with workspace_scope(business.workspace.pk):
        ExchangeRate.objects.create(currency="EUR", on_date="2024-12-31", rate=Decimal("1.10"))
        ExchangeRate.objects.create(currency="EUR", on_date="2026-11-19", rate=Decimal("3.00"))
    assert "currency without a rate" not in client.get("/reports/").content.decode()
    rows = sheet(business, "mrr")
    assert Decimal(rows[-1]["mrr_USD"]) == before + 300
    assert Decimal(rows[0]["mrr_USD"]) == 1010  # nine and the foreign one, at the rate of then


def test_renewals_are_counted_by_their_due_date(business):
    with workspace_scope(business.workspace.pk):
        kept = pays("Yearly kept", ("2024-02-15", 10_000), ("2026-02-15", 8_000), billing_interval="year")
        pays("Yearly lost", ("2024-02-20", 10_000), ended="2026-02-20", billing_interval="year")
        assert kept.pk
    rows = {row["month"]: row for row in sheet(business, "renewals")}
    due = rows["2026-02"]
    assert (due["contracts_due"], due["contracts_renewed"]) == ("2", "1")
    assert (due["due_USD_a_year"], due["kept_USD"], due["gross_rate"]) == ("2400.00", "960.00", "0.400000")


def test_months_that_cannot_be_read_are_named_and_kept(business):
    response = web(business.ada).get("/reports/", {"from": "2026-13", "to": "2026-02"})
    assert response.status_code == 422
    page = response.content.decode()
    assert "for example 2026-03" in page and 'value="2026-13"' in page
    later = web(business.ada).get("/reports/", {"from": "2026-06", "to": "2026-02"})
    assert "later than the last" in later.content.decode()
    assert len(sheet(business, "mrr", **{"from": "2026-02", "to": "2026-04"})) == 3


def test_a_shared_view_opens_for_the_team_and_nobody_else(business):
    client = web(business.ada)
    data = {
        "page": "reports",
        "name": "Board",
        "is_shared": "on",
        "next": "/reports/?tab=retention&months=24",
    }
    client.post("/saved-views/", data)
    with workspace_scope(business.workspace.pk):
        view = SavedView.objects.get(page="reports")
    address = f"/reports/views/{view.public_id}/"
    assert address in client.get("/reports/").content.decode()
    assert web(business.vera.user).get(address).url == "/reports/?months=24&tab=retention"
    assert web(business.zoe).get(address).status_code == 404
    with workspace_scope(business.workspace.pk):
        SavedView.objects.update(is_shared=False)
    assert web(business.vera.user).get(address).status_code == 404
    assert "Board" not in web(business.vera.user).get("/reports/").content.decode()
    assert client.get(address).status_code == 302


def test_a_period_without_a_full_month_has_no_rates(business):
    page = web(business.ada).get("/reports/", {"tab": "retention", "from": "2026-11"}).content.decode()
    assert "No month of this period is over yet" in page
    assert "NRR</a>" not in page
    assert sheet(business, "breakdown", **{"from": "2026-11"}) == []


def test_an_empty_workspace_says_what_to_do(cast):
    for tab in TABS:
        response = web(cast.ada).get("/reports/", {"tab": tab})
        assert response.status_code == 200
    assert "Import subscriptions" in web(cast.ada).get("/reports/").content.decode()
    for name in ("mrr", "bridge", "survival", "renewals", "adoption"):
        assert sheet(cast, name) == []


def test_an_unknown_report_is_not_found(cast):
    assert web(cast.ada).get("/reports/export/", {"report": "nothing"}).status_code == 404
