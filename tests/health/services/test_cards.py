"""Scorecards by segment: whose card is whose, in which order, and that scores follow."""

from datetime import timedelta

import pytest

from accounts.models import Account, Job, SegmentMembership
from accounts.services import segments
from health.models import AccountSnapshot, HealthScore, MetricPosition, Scorecard, ScorecardVersion
from health.queries.cards import card_rows, rearranged
from health.services import cards
from health.services.scorecards import RESCORE_JOB, publish
from health.services.scores import moved_cards, score_day
from health.services.segments import fill_segments, segment_changed
from tests.builders import NOW, TODAY, make_account, make_state

RETAIL = {"field": "industry", "op": "any_of", "value": ["Retail"]}


def definition(red: float, green: float) -> dict:
    return {
        "measures": [
            {"metric": "active_days_28", "weight": 1, "direction": "up", "red": red, "green": green}
        ],
        "exceptions": [],
        "bands": {"yellow": 50, "green": 75},
    }


@pytest.fixture
def shops(scope):
    """Two retailers and a carrier, each active on 10 days of 28; a segment of the retailers."""
    MetricPosition.objects.create(key="active_days_28", position=0)
    MetricPosition.objects.create(key="tenure_days", position=1)
    for name, industry in (("Alpha", "Retail"), ("Beta", "Retail"), ("Gamma", "Logistics")):
        account = make_account(name, industry=industry)
        make_state(account)
        AccountSnapshot.objects.create(account=account, as_of=TODAY, values=[10.0, 400.0])
    card = Scorecard.objects.get()
    publish(card=card, definition=definition(0, 20), note="", acting_user=scope.ada, now=NOW)
    found = segments.create_segment(name="Shops", acting_user=None, now=NOW)
    segments.publish_segment(segment=found, definition=RETAIL, acting_user=None, now=NOW)
    return found


@pytest.fixture
def shop_card(shops, scope) -> Scorecard:
    default = ScorecardVersion.objects.filter(published_at__isnull=False).order_by("-number").first()
    card = cards.add_card(name="Shops", segment=shops, copy_of=default, acting_user=scope.ada, now=NOW)
    publish(card=card, definition=definition(0, 10), note="", acting_user=scope.ada, now=NOW)
    return card


def scores() -> dict[str, tuple[str, float]]:
    rows = HealthScore.objects.filter(as_of=TODAY).select_related("account", "version__scorecard")
    return {r.account.name: (r.version.scorecard.name, r.score) for r in rows}


def test_the_first_segment_that_matches_decides_and_the_rest_get_the_default(shop_card):
    assert score_day(as_of=TODAY) == 3
    assert scores() == {
        "Alpha": ("Shops", 100),
        "Beta": ("Shops", 100),
        "Gamma": ("All customers", 50),
    }
    assert [(row.card.name, row.accounts) for row in card_rows()] == [("Shops", 2), ("All customers", 1)]


def test_order_decides_between_two_cards(shop_card, shops, scope):
    everybody = segments.create_segment(name="All", acting_user=None, now=NOW)
    rule = {"field": "name", "op": "contains", "value": "a"}
    segments.publish_segment(segment=everybody, definition=rule, acting_user=None, now=NOW)
    second = cards.add_card(
        name="Second",
        segment=everybody,
        copy_of=ScorecardVersion.objects.get(scorecard=shop_card),
        acting_user=None,
        now=NOW,
    )
    publish(card=second, definition=definition(0, 40), note="", acting_user=scope.ada, now=NOW)
    score_day(as_of=TODAY)
    assert {name: card for name, (card, _score) in scores().items()} == {
        "Alpha": "Shops",
        "Beta": "Shops",
        "Gamma": "Second",
    }
    turned = [
        cards.Place(second.pk, "Second", 0, everybody.pk),
        cards.Place(shop_card.pk, "Shops", 5, shops.pk),
    ]
    default = Scorecard.objects.get(segment=None)
    wanted = [*turned, cards.Place(default.pk, default.name, 0, None)]
    assert rearranged(wanted).moved == 2
    before = cards.arrange(wanted=turned, acting_user=scope.ada, now=NOW)
    assert Job.objects.filter(kind=RESCORE_JOB).exists()
    score_day(as_of=TODAY)
    assert {card for card, _score in scores().values()} == {"Second"}
    cards.arrange(wanted=before, acting_user=scope.ada, now=NOW)
    score_day(as_of=TODAY)
    assert scores()["Alpha"][0] == "Shops"


def test_a_card_that_is_only_a_draft_scores_nobody(shops, scope):
    default = ScorecardVersion.objects.filter(published_at__isnull=False).order_by("-number").first()
    cards.add_card(name="Shops", segment=shops, copy_of=default, acting_user=scope.ada, now=NOW)
    score_day(as_of=TODAY)
    assert {card for card, _score in scores().values()} == {"All customers"}


def test_a_card_out_of_use_scores_nobody_and_its_old_scores_stay(shop_card, shops, scope):
    score_day(as_of=TODAY)
    out = cards.Place(shop_card.pk, "Shops", 1, shops.pk, is_retired=True)
    cards.arrange(wanted=[out], acting_user=scope.ada, now=NOW)
    assert HealthScore.objects.filter(version__scorecard=shop_card).count() == 2
    score_day(as_of=TODAY)
    assert {card for card, _score in scores().values()} == {"All customers"}
    segments.delete_segment(segment=shops, acting_user=None)
    shop_card.refresh_from_db()
    assert shop_card.segment_id is None


def test_who_enters_a_segment_is_scored_by_its_card_on_the_same_night(shop_card):
    score_day(as_of=TODAY)
    Account.objects.filter(name="Gamma").update(industry="Retail")
    assert moved_cards(as_of=TODAY) == 0
    fill_segments(as_of=TODAY, now=NOW + timedelta(days=1))
    assert scores()["Gamma"] == ("Shops", 100)
    assert moved_cards(as_of=TODAY) == 0
    assert Account.objects.get(name="Gamma").state.health_score == 100


def test_a_segment_that_asks_for_the_score_carries_no_card(shops, shop_card, scope):
    weak = segments.create_segment(name="Weak", acting_user=None, now=NOW)
    version = ScorecardVersion.objects.get(scorecard=shop_card)
    with pytest.raises(cards.SegmentUnfit):
        cards.add_card(name="Weak", segment=weak, copy_of=version, acting_user=None, now=NOW)
    rule = {"field": "health_score", "op": "lt", "value": 50}
    segments.publish_segment(segment=weak, definition=rule, acting_user=None, now=NOW)
    with pytest.raises(cards.SegmentUnfit):
        cards.add_card(name="Weak", segment=weak, copy_of=version, acting_user=None, now=NOW)
    with pytest.raises(cards.SegmentUnfit):
        place = cards.Place(shop_card.pk, "Shops", 1, weak.pk)
        cards.arrange(wanted=[place], acting_user=scope.ada, now=NOW)
    with pytest.raises(segments.ScoreDecidesItself):
        segments.publish_segment(segment=shops, definition=rule, acting_user=None, now=NOW)
    with pytest.raises(segments.SegmentInUse):
        segments.delete_segment(segment=shops, acting_user=None)


def test_a_published_segment_has_its_cards_accounts_rescored(shop_card, shops):
    Job.objects.filter(kind=RESCORE_JOB).delete()
    segment_changed(shops.pk)
    assert Job.objects.filter(kind=RESCORE_JOB).exists()
    SegmentMembership.objects.all().delete()
    score_day(as_of=TODAY)
    assert {card for card, _score in scores().values()} == {"All customers"}
