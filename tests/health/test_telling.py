"""The night tells what is new: to each CSM once, to the outside once, and nothing after the first night."""

from datetime import timedelta

import pytest

from accounts.models import Notification, WebhookEndpoint, WebhookMessage
from health.models import HealthScore, NightRun, Risk, RunStatus, Scorecard, Severity
from health.services.telling import tell_news
from tests.builders import NOW, TODAY, make_account, make_state

YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def night(scope):
    """Two accounts of Ben's; Northwind fell from yellow to red since yesterday."""
    NightRun.objects.create(as_of=YESTERDAY, status=RunStatus.DONE)
    accounts = [make_account(name, csm=scope.ben) for name in ("Northwind", "Kestrel")]
    version = Scorecard.objects.get().versions.get()
    for account, bands in zip(accounts, (("yellow", "red"), ("green", "green")), strict=True):
        make_state(account)
        for day, band in zip((YESTERDAY, TODAY), bands, strict=True):
            HealthScore.objects.create(
                account=account, as_of=day, version=version, score=40, band=band, coverage=1, contributions=[]
            )
    Risk.objects.create(
        account=accounts[0],
        cause="gone_quiet",
        severity=Severity.HIGH,
        opened_on=TODAY,
        refreshed_on=TODAY,
    )
    return accounts


def told():
    return sorted(Notification.objects.values_list("kind", "context__names"))


def test_a_csm_hears_what_changed_overnight(night, scope):
    assert tell_news(as_of=TODAY, now=NOW) == 1
    assert told() == [("health.risks_opened", ["Northwind"]), ("health.turned_red", ["Northwind"])]
    row = Notification.objects.get(kind="health.turned_red")
    assert (row.membership_id, row.account_id) == (scope.ben.pk, night[0].pk)


def test_the_same_night_again_tells_nothing_twice(night):
    WebhookEndpoint.objects.create(url="https://example.com/", secret="whsec_c2VjcmV0")
    for _ in range(2):
        tell_news(as_of=TODAY, now=NOW)
    assert len(told()) == 2
    assert sorted(WebhookMessage.objects.values_list("event_type", flat=True)) == [
        "account.band_changed",
        "risk.opened",
    ]
    payload = WebhookMessage.objects.get(event_type="account.band_changed").payload
    assert (payload["band_before"], payload["band"], payload["external_id"]) == ("yellow", "red", "northwind")


def test_after_the_very_first_night_nothing_is_news(night):
    NightRun.objects.all().delete()
    assert tell_news(as_of=TODAY, now=NOW) == 0
    assert told() == []


def test_many_at_once_are_one_notification(night, scope):
    version = Scorecard.objects.get().versions.get()
    for number in range(7):
        account = make_account(f"Marlow {number}", csm=scope.ben)
        make_state(account)
        for day, band in ((YESTERDAY, "green"), (TODAY, "red")):
            HealthScore.objects.create(
                account=account, as_of=day, version=version, score=40, band=band, coverage=1, contributions=[]
            )
    tell_news(as_of=TODAY, now=NOW)
    row = Notification.objects.get(kind="health.turned_red")
    assert (row.context["count"], len(row.context["names"]), row.account) == (8, 5, None)
