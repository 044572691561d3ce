"""Retries are made by the clock of the customer's country, where it has one; days are counted by the workspace's."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from accounts.models import BillingCustomer
from dunning.policy.country_zones import COUNTRIES, ZONES, zone_of_country
from dunning.policy.definition import PolicyDefinition
from dunning.policy.facts import AttemptFact
from dunning.policy.planning import Retry, plan_next
from dunning.policy.simulating import PastFailure, replay_failure
from dunning.queries.case_facts import situation_of
from tests.builders import make_account
from tests.dunning.builders import make_invoice

POLICY = PolicyDefinition.defaults()
SEOUL, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("America/New_York")
FAILED_AT = datetime(2026, 11, 3, 3, tzinfo=UTC)


def test_every_zone_is_one_and_countries_with_several_have_none():
    assert len(COUNTRIES) == 249 and set(ZONES) < COUNTRIES
    assert {country for country in ZONES if zone_of_country(country) is None} == set()
    assert zone_of_country("kr") == SEOUL
    assert [zone_of_country(none) for none in ("US", "AU", "QQ", "")] == [None] * 4


@pytest.mark.parametrize(
    ("customer", "account", "zone"),
    [
        ("KR", "", SEOUL),
        ("", "KR", SEOUL),
        ("US", "KR", NEW_YORK),
        ("", "", NEW_YORK),
        ("", "Korea", NEW_YORK),
    ],
)
def test_a_case_is_planned_by_the_customers_clock(scope, customer, account, zone):
    scope.workspace.time_zone = "America/New_York"
    scope.workspace.save()
    invoice = make_invoice(make_account("Kiln", country=account), failed_at=FAILED_AT)
    invoice.customer = BillingCustomer.objects.create(
        account=invoice.account, external_id="cus_1", country=customer
    )
    invoice.save()
    known = situation_of(invoice, ends_at=FAILED_AT + timedelta(days=28), now=FAILED_AT)
    assert (known.zone, known.day_zone) == (zone, NEW_YORK)
    answer = plan_next(known.facts, POLICY, now=FAILED_AT, zone=known.zone, day_zone=known.day_zone)
    assert isinstance(answer, Retry)
    assert POLICY.hour_from <= answer.at.astimezone(zone).hour < POLICY.hour_until


@pytest.mark.parametrize(("country", "zone"), [("KR", SEOUL), ("US", NEW_YORK)])
def test_the_past_is_replayed_by_the_same_clock(country, zone):
    refused = AttemptFact(FAILED_AT, decline_code="do_not_honor", card="c1")
    past = PastFailure("in_1", 4_900, "USD", (refused,), None, country)
    found = replay_failure(past, POLICY, zone=NEW_YORK)
    assert found.retries
    assert {POLICY.hour_from <= at.astimezone(zone).hour < POLICY.hour_until for at in found.retries} == {
        True
    }
    days = [at.astimezone(NEW_YORK).date() for at in found.retries]
    assert len(set(days)) == len(days), "one of ours a day of the workspace"
