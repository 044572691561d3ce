"""What playbooks ask of CSMs: once at a time, and gone when their run has no use for it."""

from datetime import timedelta

import pytest

from health.models import QueueItem, Resolution, ResolutionResult, Risk, SequenceRun
from health.queries.account_history import queue_entries
from health.queries.account_risk import account_risk
from health.services.sequence_asks import close_left
from health.services.sequence_engine import advance
from health.services.sequence_runs import exit_run
from health.services.sequences import enrol
from tests.builders import NOW
from tests.health.sequences.builders import ASK, EVENING, make_quiet, make_sequence

pytestmark = pytest.mark.usefixtures("scope")
DAY = timedelta(days=1)
LATER = {**ASK, "title": "Write to the sponsor"}


def begin(sequence, account, source="hand:1"):
    run = enrol(sequence=sequence, account=account, source=source, acting_user=None, now=NOW)
    advance(run.pk, now=NOW)
    return run


def asked():
    rows = QueueItem.objects.filter(closed_at__isnull=True).order_by("pk")
    return [item.evidence["title"] for item in rows]


def test_an_early_end_closes_what_was_asked_as_not_needed():
    account = make_quiet("North")
    run = begin(make_sequence(ASK, EVENING, LATER), account)
    assert asked() == ["Call them"]
    exit_run(run=run, reason="by_hand", acting_user=None, now=NOW + DAY)
    assert asked() == [] and not hasattr(account.__class__.objects.get(pk=account.pk), "queue_entry")
    resolution = Resolution.objects.get()
    assert (resolution.result, resolution.note) == (ResolutionResult.NOT_NEEDED, "Call them")
    assert [entry.text for entry in queue_entries(account, 5)] == ["Call them"]


def test_what_was_waited_for_in_vain_closes_when_the_run_goes_on():
    run = begin(make_sequence(ASK, EVENING, LATER), make_quiet("North"))
    advance(run.pk, now=NOW + 3 * DAY)
    assert SequenceRun.objects.get().state == "done"
    assert asked() == ["Write to the sponsor"], "the last thing to do stays the CSM's"


def test_the_next_thing_asked_closes_the_one_before():
    run = begin(make_sequence(ASK, EVENING, LATER, EVENING), make_quiet("North"))
    advance(run.pk, now=NOW + 3 * DAY)
    assert SequenceRun.objects.get().state == "waiting" and asked() == ["Write to the sponsor"]


def test_what_was_waited_for_in_vain_closes_when_the_run_ends():
    run = begin(make_sequence(ASK, EVENING), make_quiet("North"))
    advance(run.pk, now=NOW + 3 * DAY)
    assert SequenceRun.objects.get().state == "done" and asked() == []


def test_two_things_asked_at_once_both_stay():
    begin(make_sequence(ASK, LATER), make_quiet("North"))
    assert asked() == ["Call them", "Write to the sponsor"]


def test_the_last_thing_to_do_closes_with_its_reason():
    account = make_quiet("North")
    risk = Risk.objects.get()
    begin(make_sequence(ASK), account, f"risk:{risk.pk}")
    assert close_left(now=NOW + DAY) == 0 and asked() == ["Call them"]
    Risk.objects.update(closed_on=NOW.date())
    assert close_left(now=NOW + DAY) == 1 and asked() == []
    assert close_left(now=NOW + DAY) == 0


def test_two_playbooks_share_the_same_words():
    account = make_quiet("North")
    first = begin(make_sequence(ASK, EVENING), account)
    second = begin(make_sequence({**ASK, "severity": "3"}, EVENING, name="Other"), account, "hand:2")
    assert asked() == ["Call them"]
    assert account.__class__.objects.get(pk=account.pk).queue_entry.items == 1
    exit_run(run=first, reason="by_hand", acting_user=None, now=NOW + DAY)
    assert asked() == ["Call them"], "the other playbook still asks for it"
    exit_run(run=second, reason="by_hand", acting_user=None, now=NOW + DAY)
    assert asked() == []


def test_another_account_is_asked_for_itself():
    begin(make_sequence(ASK, EVENING), make_quiet("North"))
    begin(make_sequence(ASK, EVENING, name="Other"), make_quiet("South"), "hand:2")
    assert asked() == ["Call them", "Call them"]


def test_beside_its_cause_the_playbook_speaks_in_place_of_the_rule():
    account = make_quiet("North")
    risk = Risk.objects.get()
    QueueItem.objects.create(
        account=account, source="risk:gone_quiet", risk=risk, severity=2, opened_on=NOW.date()
    )
    begin(make_sequence(ASK, EVENING), account, f"risk:{risk.pk}")
    advice = account_risk(account.__class__.objects.get(pk=account.pk), today=NOW.date()).advice
    assert [(bool(words.instruction), words.cause.label) for words in advice] == [
        (False, "Gone quiet"),
        (True, "Playbook"),
    ]
