"""The account page, the accounts list, home and search."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import (
    Account,
    AccountTrait,
    Membership,
    Note,
    SubscriptionChange,
    Ticket,
    TraitDefinition,
)
from cs_platform.lib.scoping import workspace_scope
from health.models import (
    AccountDay,
    AccountSnapshot,
    ChurnPrediction,
    HealthScore,
    MetricPosition,
    ModelVersion,
    NightRun,
    Resolution,
    RunStatus,
    Scorecard,
    ScorecardVersion,
)
from tests.builders import NOW, TODAY, make_account, make_contact, make_state, make_subscription, queued
from tests.conftest import Cast
from tests.counting import data_queries

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("time_machine_at_now")]

DEFINITION = {
    "measures": [
        {"metric": "active_days_28", "weight": 3, "red": 0, "green": 20},
        {"metric": "tickets_28", "weight": 1, "red": 10, "green": 0, "direction": "down"},
        {"metric": "stickiness", "weight": 1, "red": 0, "green": 50},
    ],
}


def web(membership: Membership) -> Client:
    client = Client()
    client.force_login(membership.user)
    return client


@pytest.fixture
def ben_web(cast: Cast) -> Client:
    return web(cast.ben)


def measured(account: Account, *, today_days: float, before_days: float) -> None:
    """A scorecard, and snapshots with scores of now and of four weeks ago."""
    for position, key in enumerate(["active_days_28", "tickets_28", "stickiness", "tenure_days"]):
        MetricPosition.objects.get_or_create(key=key, defaults={"position": position})
    card = Scorecard.objects.get()
    version, _ = ScorecardVersion.objects.get_or_create(
        scorecard=card, number=7, defaults={"definition": DEFINITION, "published_at": NOW}
    )
    for as_of, value in ((TODAY - timedelta(days=28), before_days), (TODAY, today_days)):
        AccountSnapshot.objects.create(account=account, as_of=as_of, values=[value, 5.0, None, 400.0])
        parts = [value / 20 * 75, 0.5 * 25, 0.0]
        HealthScore.objects.create(
            account=account,
            as_of=as_of,
            version=version,
            score=sum(parts),
            band="red",
            coverage=0.8,
            contributions=parts,
        )


def live_model(account: Account) -> None:
    version = ModelVersion.objects.create(
        number=1,
        horizon_days=90,
        trained_as_of=TODAY,
        record={"roc_auc": 0.83},
        is_eligible=True,
        live_from=NOW,
    )
    reasons = [
        {"feature": "active_days_28", "value": 4, "effect": 0.9},
        {"feature": "tickets_28", "value": 5, "effect": -0.2},
    ]
    ChurnPrediction.objects.create(
        account=account, as_of=TODAY, version=version, probability=0.62, reasons=reasons
    )


def furnished(cast: Cast) -> Account:
    """An account with a row in every part of its page."""
    account = queued("Northwind", csm=cast.ben, causes=("gone_quiet", "usage_dropped"))
    measured(account, today_days=4, before_days=16)
    live_model(account)
    for back in range(1, 60):
        AccountDay.objects.create(
            account=account,
            day=TODAY - timedelta(days=back),
            events=10 + back,
            quantity=1,
            active_contacts=3,
            distinct_names=2,
        )
    contact = make_contact(account, is_champion=True, left_at=NOW - timedelta(days=9))
    subscription = make_subscription(account)
    terms = {"currency": "USD", "billing_interval": "month", "known_at": NOW, "plan": subscription.plan}
    SubscriptionChange.objects.create(
        subscription=subscription, effective_at=account.created_at, mrr_minor=500_000, seats=50, **terms
    )
    SubscriptionChange.objects.create(
        subscription=subscription, effective_at=NOW - timedelta(days=40), mrr_minor=400_000, seats=40, **terms
    )
    Ticket.objects.create(
        account=account,
        contact=contact,
        external_id="T1",
        subject="Export hangs",
        opened_at=NOW,
        priority="urgent",
    )
    Note.objects.create(
        account=account, author=cast.ada, body="Buyer is on leave", created_at=NOW, is_pinned=True
    )
    definition = TraitDefinition.objects.create(key="tier", label="Tier", kind="text")
    AccountTrait.objects.create(account=account, definition=definition, value_text="Gold")
    Resolution.objects.create(
        account=account, result="no_answer", resolved_by=cast.ada, resolved_at=NOW, quiet_until=TODAY
    )
    return account


def test_the_page_explains_everything(cast: Cast, ben_web: Client) -> None:
    with workspace_scope(cast.workspace.pk):
        account = furnished(cast)
    with CaptureQueriesContext(connection) as captured:
        answer = ben_web.get(f"/accounts/{account.public_id}/")
    page = " ".join(answer.content.decode().split())
    assert len(data_queries(captured)) <= 30
    for words in (
        "62.0% × $48.0k × 1.40",
        "Nobody has used the product for 19 days.",
        "What moves the 62% for the next 90 days",
        "raises the risk",
        "Built on 80% of its weight, scorecard “",
        '15.0 <span class="muted">/ 75.0</span>',
        "Without data, so left out: ",
        "Why it moved since Oct. 23, 2026",
        "Fell from 72 on Oct. 23, 2026 to 28 now (Red).",
        "No champion is left at this account.",
        "$4,000 a month",
        "$5,000 a month → $4,000 a month",
        "Export hangs",
        "Buyer is on leave",
        "Gold",
        "Resolved: No answer",
    ):
        assert words in page, words


def test_the_ledger_sums_to_the_move(cast: Cast, scope: Cast) -> None:
    from health.queries.account_score import score_breakdown

    account = make_account("Ledger")
    measured(account, today_days=4, before_days=16)
    breakdown = score_breakdown(account, "USD")
    assert breakdown is not None
    assert breakdown.ledger is not None
    ledger = breakdown.ledger
    assert ledger.total == pytest.approx(-45)
    assert ledger.behaviour + ledger.data_expiry + ledger.configuration == pytest.approx(ledger.total)
    assert sum(part.contribution for part in breakdown.parts) == pytest.approx(breakdown.score.score)


def test_an_unmeasured_account_says_so(cast: Cast, ben_web: Client) -> None:
    with workspace_scope(cast.workspace.pk):
        account = make_account("Fresh")
    page = ben_web.get(f"/accounts/{account.public_id}/").content.decode()
    assert "Nothing is measured yet" in page
    assert "There is no score yet" in page


def test_foreign_and_missing_accounts_look_alike(cast: Cast, ben_web: Client) -> None:
    with workspace_scope(cast.other.pk):
        foreign = make_account("Foreign")
    for path in (
        "/accounts/{}/",
        "/queue/{}/",
        "/accounts/{}/notes/",
        "/accounts/{}/touches/",
        "/accounts/{}/let-go/",
    ):
        for public_id in (foreign.public_id, cast.workspace.public_id):
            assert ben_web.get(path.format(public_id)).status_code == 404, path


def test_the_list_filters_sorts_and_exports(cast: Cast, ben_web: Client) -> None:
    with workspace_scope(cast.workspace.pk):
        make_state(make_account("Alpha", csm=cast.ben), arr_minor=100)
        make_state(make_account("Beta"), health_band="green", health_score=90, arr_minor=900)
        make_state(make_account("Gone"), is_customer=False)
        make_state(make_account("Blank"), health_band="", health_score=None)

    def names(query: str) -> list[str]:
        return [row.name for row in ben_web.get(f"/accounts/?{query}").context["page"].rows]

    assert names("") == ["Alpha", "Beta", "Blank"]
    assert names("sort=-arr")[-1] == "Alpha"
    assert names("sort=-score") == ["Beta", "Alpha", "Blank"]
    assert names("sort=nonsense") == ["Alpha", "Beta", "Blank"]
    assert names("band=green") == ["Beta"]
    assert names("band=none") == ["Blank"]
    assert names("csm=mine") == ["Alpha"]
    assert names("status=lapsed") == ["Gone"]
    assert names("q=be") == ["Beta"]
    assert "Beta" in ben_web.get("/accounts/export.csv?band=green").content.decode()


def test_the_list_costs_the_same_with_more_rows(cast: Cast, ben_web: Client) -> None:
    counts = []
    for size in (10, 60):
        with workspace_scope(cast.workspace.pk):
            for number in range(size):
                make_state(make_account(f"A{size}-{number}", csm=cast.ben))
        ben_web.get("/accounts/")
        with CaptureQueriesContext(connection) as captured:
            ben_web.get("/accounts/")
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 30


def test_home_by_role(cast: Cast, ben_web: Client) -> None:
    with workspace_scope(cast.workspace.pk):
        account = queued("Northwind", csm=cast.ben)
        queued("Nobodys", health_band="green", health_score=88)
        measured(account, today_days=4, before_days=16)
        live_model(account)
        NightRun.objects.create(as_of=TODAY, status=RunStatus.DONE, finished_at=NOW)
    mine = " ".join(ben_web.get("/").content.decode().split())
    assert "<strong>1</strong> of your 1 accounts is red" in mine
    assert "Nobodys" not in mine
    assert "Whole queue" in mine and "Nobody yet" in mine and mine.count('class="is-mine"') == 1
    ada = Client()
    ada.force_login(cast.ada)
    whole = " ".join(ada.get("/").content.decode().split())
    assert "<strong>$48.0k</strong> of $96.0k ARR is red: 1 of 2 customers." in whole
    assert "50% of the scored accounts are below 50." in whole
    assert "Version 1 is live" in whole
    assert "Nobody yet" in whole
    assert web(cast.vera).get("/").status_code == 200


def test_home_of_an_empty_workspace(cast: Cast, ben_web: Client) -> None:
    assert "Nothing waits" in ben_web.get("/").content.decode()
    zoe = Client()
    zoe.force_login(cast.zoe)
    assert "No customers yet" in zoe.get("/").content.decode()


def test_search_finds_accounts_people_and_pages(cast: Cast, ben_web: Client) -> None:
    with workspace_scope(cast.workspace.pk):
        account = queued("Northwind", csm=cast.ben)
    page = ben_web.get("/search/?q=north").content.decode()
    assert f"/accounts/{account.public_id}/" in page
    part = ben_web.get("/search/?q=north", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "Nothing found" in ben_web.get("/search/?q=zzzz").content.decode()
