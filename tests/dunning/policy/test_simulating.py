"""The past under a policy: counted up to the real payment, nothing taken to have passed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dunning.policy.classes import DeclineClass, NoticeRule
from dunning.policy.definition import PolicyDefinition
from dunning.policy.facts import AttemptFact
from dunning.policy.reasons import WhyNot
from dunning.policy.simulating import PastFailure, replay_all, replay_failure, totals

POLICY, ZONE = PolicyDefinition.defaults(), ZoneInfo("Europe/Berlin")
AT = datetime(2026, 9, 3, 3, tzinfo=UTC)
DAY = timedelta(days=1)


def failure(code: str, *, paid_after: float | None = None, name: str = "in_1") -> PastFailure:
    paid_at = None if paid_after is None else AT + paid_after * DAY
    return PastFailure(name, 4_900, "USD", (AttemptFact(AT, decline_code=code),), paid_at)


def test_a_retry_counts_until_the_invoice_was_really_paid():
    open_ = replay_failure(failure("do_not_honor"), POLICY, zone=ZONE)
    paid = replay_failure(failure("do_not_honor", paid_after=3), POLICY, zone=ZONE)
    assert (len(open_.retries), open_.is_ended, open_.stopped_by) == (3, True, WhyNot.CLASS_LIMIT)
    assert (len(paid.retries), paid.is_ended) == (1, False)
    assert all(at < AT + 3 * DAY for at in paid.retries)


def test_who_paid_before_the_first_notice_gets_none():
    early = replay_failure(failure("insufficient_funds", paid_after=2), POLICY, zone=ZONE)
    late = replay_failure(failure("insufficient_funds", paid_after=5), POLICY, zone=ZONE)
    assert (early.notices_at, late.notices_at) == (None, AT + 3 * DAY)


def test_totals_count_what_a_change_does():
    failures = [
        failure("insufficient_funds", name="a"),
        failure("lost_card", name="b"),
        failure("do_not_honor", paid_after=1, name="c"),
    ]
    before = totals(replay_all(failures, POLICY, zone=ZONE), zone=ZONE)
    assert (before.failures, before.retried, before.ended, before.unnoticed) == (3, 1, 2, 1)
    assert (before.noticed, before.noticed_at_once) == (2, 1)
    assert before.by_reason == {WhyNot.HARD_DECLINE: 1}
    eager = replace(POLICY.rules[DeclineClass.SOFT_FUNDS], notice=NoticeRule.AT_ONCE)
    changed = replace(POLICY, rules=POLICY.rules | {DeclineClass.SOFT_FUNDS: eager})
    after = totals(replay_all(failures, changed, zone=ZONE), zone=ZONE)
    assert (after.noticed, after.noticed_at_once, after.retries) == (2, 2, before.retries)


def test_every_replay_ends():
    for code in ("processing_error", "insufficient_funds", "nonsense", "expired_card"):
        found = replay_failure(failure(code), replace(POLICY, duration_days=90), zone=ZONE)
        assert len(found.retries) <= 45
