"""Who may be mailed when: classes, clocks, holds, and the stored answer to "why not?"."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import ContactHold, EmailSuppression, MailClass, MailDecision, Motion, OutboundEmail
from accounts.services.arbiter import assess, decide, place_hold, release_hold
from accounts.services.suppressions import address_hash, choose_categories, pause, suppress, unsubscribe
from tests.builders import make_account, make_contact

# A Tuesday, 10:00 UTC.
NOON = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)
OTHER, RELATION, EVENT = MailClass.OTHER, MailClass.RELATIONSHIP_SURVEY, MailClass.TRANSACTIONAL_SURVEY


@pytest.fixture
def mina(scope):
    return make_contact(make_account())


def ask(contact, mail_class=OTHER, *, now=NOON, **more):
    return decide(contact=contact, mail_class=mail_class, kind="test.kind", now=now, **more)


def mailed(contact, mail_class, *, ago, **fields):
    """A mail of the class that went out before NOON."""
    return OutboundEmail.objects.create(
        kind="test.kind",
        contact=contact,
        to_address=contact.email,
        address_hash=address_hash(contact.email),
        mail_class=mail_class,
        status="sent",
        begun_at=NOON - ago,
        sent_at=NOON - ago,
        **fields,
    )


def test_nothing_speaks_against_the_first_mail(mina):
    for mail_class in MailClass:
        assert ask(mina, mail_class).allowed, mail_class


@pytest.mark.parametrize(
    ("asked", "before", "ago", "same", "allowed"),
    [
        (OTHER, OTHER, timedelta(hours=23, minutes=59), False, False),
        (OTHER, OTHER, timedelta(hours=24), False, True),
        (OTHER, RELATION, timedelta(hours=2), False, False),
        (OTHER, MailClass.TRANSACTIONAL, timedelta(minutes=1), False, True),
        (EVENT, EVENT, timedelta(days=13, hours=23), False, False),
        (EVENT, EVENT, timedelta(days=14), False, True),
        (EVENT, RELATION, timedelta(hours=1), False, True),
        (EVENT, OTHER, timedelta(hours=1), False, True),
        (RELATION, RELATION, timedelta(days=29), False, False),
        (RELATION, RELATION, timedelta(days=30), False, True),
        (RELATION, RELATION, timedelta(days=89), True, False),
        (RELATION, RELATION, timedelta(days=90), True, True),
        (RELATION, EVENT, timedelta(days=2), False, True),
        (MailClass.TRANSACTIONAL, OTHER, timedelta(minutes=1), False, True),
    ],
)
def test_each_class_has_its_clock(mina, asked, before, ago, same, allowed):
    mailed(mina, before, ago=ago, clock="survey:1")
    decision = ask(mina, asked, clock="survey:1" if same else "survey:2")
    assert decision.allowed == allowed
    assert allowed or decision.not_before > NOON


def test_the_budget_is_the_persons_whatever_account_knows_them(mina):
    twin = make_contact(make_account("Southwind"), email=mina.email.upper())
    mailed(twin, OTHER, ago=timedelta(hours=3))
    assert ask(mina).reason == "floor"


@pytest.mark.parametrize(
    ("now", "reason", "opens"),
    [
        (datetime(2026, 11, 17, 7, 59, tzinfo=UTC), "quiet_hours", datetime(2026, 11, 17, 8, tzinfo=UTC)),
        (datetime(2026, 11, 17, 20, 0, tzinfo=UTC), "quiet_hours", datetime(2026, 11, 18, 8, tzinfo=UTC)),
        (datetime(2026, 11, 20, 21, 0, tzinfo=UTC), "quiet_hours", datetime(2026, 11, 23, 8, tzinfo=UTC)),
        (datetime(2026, 11, 21, 12, 0, tzinfo=UTC), "weekend", datetime(2026, 11, 23, 8, tzinfo=UTC)),
    ],
)
def test_nobody_is_disturbed_at_night_or_on_weekends(mina, now, reason, opens):
    decision = ask(mina, now=now)
    assert (decision.allowed, decision.reason, decision.not_before) == (False, reason, opens)
    assert ask(mina, EVENT, now=now).allowed, "an answer to what has just happened is not held back"
    assert ask(mina, MailClass.TRANSACTIONAL, now=now).allowed


def test_quiet_hours_are_those_of_the_persons_zone(mina):
    mina.traits = {"time_zone": "Asia/Seoul"}
    evening_in_seoul = datetime(2026, 11, 17, 11, 30, tzinfo=UTC)
    assert ask(mina, now=evening_in_seoul).not_before == datetime(2026, 11, 17, 23, 0, tzinfo=UTC)
    mina.traits = {"time_zone": "No/Where"}
    assert ask(mina, now=evening_in_seoul).allowed, "an unknown zone falls back to the workspace's"


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Seoul", "Pacific/Apia"])
@pytest.mark.parametrize("month", [3, 10])
def test_the_opening_is_eight_local_over_changes_of_clocks(mina, zone, month):
    from zoneinfo import ZoneInfo

    mina.traits = {"time_zone": zone}
    for hour in range(24 * 9):
        now = datetime(2026, month, 24, tzinfo=UTC) + timedelta(hours=hour)
        decision = assess(contact=mina, mail_class=OTHER, kind="x", now=now)
        if not decision.allowed:
            local = decision.not_before.astimezone(ZoneInfo(zone))
            assert (local.hour, local.minute) == (8, 0) and local.weekday() < 5


@pytest.mark.parametrize("holder", list(Motion))
@pytest.mark.parametrize("asking", list(Motion))
def test_a_hold_keeps_less_important_motions_away_and_no_others(mina, holder, asking):
    place_hold(contact=mina, motion=holder, until=NOON + timedelta(days=3), now=NOON)
    decision = ask(mina, motion=asking)
    assert decision.allowed == (asking.rank <= holder.rank)
    assert decision.allowed or (decision.reason, decision.detail) == ("held", holder)
    assert ask(mina, MailClass.TRANSACTIONAL, motion=asking).allowed


def test_a_person_in_dunning_gets_no_survey_until_it_is_over(mina):
    place_hold(contact=mina, motion=Motion.DUNNING, until=None, now=NOON)
    assert not ask(mina, RELATION, motion=Motion.SURVEY).allowed
    assert not ask(mina, EVENT, motion=Motion.SURVEY).allowed
    assert release_hold(contact=mina, motion=Motion.DUNNING, now=NOON)
    assert not release_hold(contact=mina, motion=Motion.DUNNING, now=NOON)
    assert ask(mina, RELATION, motion=Motion.SURVEY).allowed


def test_holds_end_by_themselves_and_are_granted_by_importance(mina):
    until = NOON + timedelta(days=2)
    assert place_hold(contact=mina, motion=Motion.WINBACK, until=until, now=NOON)
    assert place_hold(contact=mina, motion=Motion.DUNNING, until=until, now=NOON), "may override"
    assert place_hold(contact=mina, motion=Motion.SURVEY, until=until, now=NOON) is None
    assert place_hold(contact=mina, motion=Motion.SURVEY, until=None, now=until)
    place_hold(contact=mina, motion=Motion.DUNNING, until=until + timedelta(days=1), now=NOON)
    assert ContactHold.objects.filter(motion=Motion.DUNNING, released_at__isnull=True).count() == 1


def test_the_more_important_of_two_waiting_mails_goes_first(mina):
    def waiting(motion):
        return OutboundEmail.objects.create(
            kind="test.kind",
            contact=mina,
            to_address=mina.email,
            mail_class=OTHER,
            motion=motion,
            address_hash=address_hash(mina.email),
        )

    letter, note = waiting(Motion.NEWSLETTER), waiting(Motion.SHIPPED_NOTE)
    assert ask(mina, motion=Motion.NEWSLETTER, email=letter).reason == "more_important"
    assert ask(mina, motion=Motion.SHIPPED_NOTE, email=note).allowed


@pytest.mark.parametrize(
    ("reason", "total", "transactional", "optional"),
    [
        ("hard_bounce", None, False, False),
        ("complaint", None, True, False),
        ("unsubscribed", None, True, False),
        ("manual", False, True, False),
        ("manual", True, False, False),
    ],
)
def test_a_suppression_stops_what_it_says(mina, reason, total, transactional, optional):
    suppress(f"  {mina.email.upper()} ", reason=reason, is_total=total, now=NOON)
    assert ask(mina, MailClass.TRANSACTIONAL).allowed == transactional
    for mail_class in (OTHER, RELATION, EVENT):
        decision = ask(mina, mail_class)
        assert (decision.allowed, decision.not_before) == (optional, None)
        assert decision.reason == reason


def test_a_person_can_switch_off_one_category(mina):
    choose_categories(mina.email, wanted=["surveys", "tips", "offers"], now=NOON)
    assert not ask(mina, category="product_updates").allowed
    assert ask(mina, category="tips").allowed
    choose_categories(mina.email, wanted=["product_updates"], now=NOON)
    assert ask(mina, category="product_updates").allowed
    assert not ask(mina, category="tips").allowed
    unsubscribe(mina.email, categories=None, now=NOON)
    assert not ask(mina, category="product_updates").allowed
    choose_categories(mina.email, wanted=["product_updates"], now=NOON)
    assert ask(mina, category="product_updates").allowed, "wanted again, by the person"


def test_a_pause_ends_by_itself(mina):
    pause(mina.email, until=NOON + timedelta(days=30), now=NOON)
    decision = ask(mina)
    assert (decision.reason, decision.not_before) == ("paused", NOON + timedelta(days=30))
    assert ask(mina, now=datetime(2026, 12, 18, 10, tzinfo=UTC)).allowed
    pause(mina.email, until=None, now=NOON)
    assert ask(mina).allowed
    assert not EmailSuppression.objects.exists()


def test_who_has_left_or_has_no_address_gets_nothing_optional(mina):
    mina.left_at = NOON
    assert ask(mina).reason == "left"
    mina.email = ""
    assert ask(mina, MailClass.TRANSACTIONAL).reason == "no_address"


def test_every_decision_is_stored_with_its_reason(mina):
    ask(mina)
    mailed(mina, OTHER, ago=timedelta(hours=1))
    ask(mina, motion=Motion.NEWSLETTER)
    rows = MailDecision.objects.order_by("pk").values_list("verdict", "reason", "motion", "not_before")
    assert list(rows) == [
        ("allowed", "free", "playbook", None),
        ("later", "floor", "newsletter", NOON + timedelta(hours=23)),
    ]
    assess(contact=mina, mail_class=OTHER, kind="x", now=NOON)
    assert MailDecision.objects.count() == 2, "a preview leaves no trace"
