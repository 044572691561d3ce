"""Steps, waits, branches and ends of one run, with the time handed in."""

from datetime import timedelta

import pytest

from accounts.models import (
    AccountTrait,
    LetGo,
    Membership,
    OutboundEmail,
    User,
    WebhookDelivery,
    WebhookEndpoint,
)
from accounts.services.activities import log_touch
from health.models import QueueItem, Risk, SequenceRun, StepRun
from health.services.queue import resolve_accounts
from health.services.sequence_engine import advance
from health.services.sequence_plans import pause_sequence, publish, release_sequence
from health.services.sequence_runs import exit_run, pause_run, resume_run
from health.services.sequences import enrol
from tests.builders import NOW, make_contact
from tests.health.sequences.builders import (
    ASK,
    CHANGE,
    EVENING,
    NORTH,
    definition,
    done,
    mail_step,
    make_quiet,
    make_sequence,
    make_text,
)

pytestmark = pytest.mark.usefixtures("scope")
DAY = timedelta(days=1)


def begin(sequence, account, source="hand:1", **options):
    run = enrol(sequence=sequence, account=account, source=source, acting_user=None, now=NOW, **options)
    assert run is not None
    return run


def fresh(run):
    return SequenceRun.objects.get(pk=run.pk)


def test_steps_run_in_order_and_once():
    account = make_quiet("North")
    run = begin(make_sequence(ASK, CHANGE), account)
    assert advance(run.pk, now=NOW) is None
    assert done(run) == [("queue_item", "done"), ("set_trait", "done")]
    assert fresh(run).state == "done" and fresh(run).finished_at == NOW
    item = QueueItem.objects.get(source__startswith="sequence:")
    assert item.evidence["title"] == "Call them" and account.queue_entry.items == 1
    assert AccountTrait.objects.get(definition__key="playbook").value_text == "yes"
    advance(run.pk, now=NOW)
    assert StepRun.objects.filter(run=run).count() == 2


def test_a_wait_ends_by_the_time_handed_in():
    run = begin(make_sequence(EVENING, ASK), make_quiet("North"))
    assert advance(run.pk, now=NOW) == NOW + 3 * DAY
    assert advance(run.pk, now=NOW + 3 * DAY - timedelta(seconds=1)) == NOW + 3 * DAY
    assert done(run) == [("wait", "waiting")]
    assert advance(run.pk, now=NOW + 3 * DAY) is None
    assert done(run) == [("wait", "done"), ("queue_item", "done")]


def test_working_days_leave_weekends_out():
    run = begin(make_sequence({**EVENING, "unit": "working_days"}), make_quiet("North"))
    assert advance(run.pk, now=NOW) == NOW + 5 * DAY  # 20 November 2026 is a Friday


def test_until_a_date_that_moves_meanwhile():
    account = make_quiet("North")
    step = {"kind": "wait_date", "amount": 30, "side": "before", "date": "renews_at", "missing": "end"}
    run = begin(make_sequence(step, ASK), account)
    assert advance(run.pk, now=NOW) == NOW + DAY  # renews in 54 days; looks again, as the date may move
    assert fresh(run).wait_ends == NOW + 24 * DAY
    account.state.renews_at = NOW + 31 * DAY
    account.state.save()
    assert advance(run.pk, now=NOW + DAY) is None
    assert done(run)[-1] == ("queue_item", "done")


def test_without_the_date_it_goes_where_it_was_told():
    account = make_quiet("North", renews_at=None)
    step = {"kind": "wait_date", "amount": 30, "side": "before", "date": "renews_at", "missing": "end"}
    run = begin(make_sequence(step, ASK), account)
    advance(run.pk, now=NOW)
    assert done(run) == [("wait_date", "done")] and fresh(run).state == "done"


def test_until_a_rule_matches_or_the_time_is_up():
    step = {"kind": "wait_rule", "tree": NORTH, "amount": 5, "otherwise": "end"}
    north, south = make_quiet("South"), make_quiet("Sunday")
    sequence = make_sequence(step, ASK)
    run, late = begin(sequence, north, "hand:1"), begin(sequence, south, "hand:2")
    assert advance(run.pk, now=NOW) == NOW + timedelta(hours=4)
    advance(late.pk, now=NOW)
    north.name = "North"
    north.save()
    assert advance(run.pk, now=NOW + timedelta(hours=4)) is None
    assert done(run)[-1] == ("queue_item", "done")
    advance(late.pk, now=NOW + 5 * DAY)
    assert done(late) == [("wait_rule", "done")] and fresh(late).state == "done"


def test_a_branch_takes_one_way():
    branch = {"kind": "branch", "tree": NORTH, "yes": "step:s2", "no": "next"}
    sequence = make_sequence(branch, {**ASK, "title": "other"}, CHANGE)
    yes, no = begin(sequence, make_quiet("North"), "a"), begin(sequence, make_quiet("South"), "b")
    advance(yes.pk, now=NOW)
    advance(no.pk, now=NOW)
    assert [kind for kind, _ in done(yes)] == ["branch", "set_trait"]
    assert [kind for kind, _ in done(no)] == ["branch", "queue_item", "set_trait"]


def test_a_circle_ends_after_its_rounds():
    back = {"kind": "branch", "tree": NORTH, "yes": "step:s0", "no": "end"}
    run = begin(make_sequence(EVENING, back), make_quiet("North"))
    now = NOW
    for _round in range(30):
        now += 3 * DAY
        advance(run.pk, now=now)
    assert fresh(run).end_reason == "too_many_rounds"
    assert StepRun.objects.filter(run=run, kind="wait").count() == 20


def test_waits_for_the_csm_and_goes_on_when_resolved(scope):
    account = make_quiet("North")
    step = {"kind": "wait_item", "amount": 7, "otherwise": "end"}
    run = begin(make_sequence(ASK, step, CHANGE), account)
    assert advance(run.pk, now=NOW) == NOW + timedelta(hours=4)
    resolve_accounts(accounts=[account], result="helped", acting_user=scope.ben.user, now=NOW)
    assert fresh(run).next_due is None, "resolving wakes the run"
    advance(run.pk, now=NOW + timedelta(minutes=1))
    assert done(run)[-1] == ("set_trait", "done")


def test_a_mail_goes_to_the_role_and_is_remembered():
    account, text = make_quiet("North"), make_text()
    make_contact(account, name="Bo Bill", role="billing")
    run = begin(make_sequence(mail_step(text, to="billing")), account)
    advance(run.pk, now=NOW)
    email = OutboundEmail.objects.get()
    assert email.to_address == "bo@north.example" and email.kind == "health.sequence"
    assert StepRun.objects.get(run=run).email == email


@pytest.mark.parametrize(
    ("otherwise", "mails", "state"), [("anyone", 1, "done"), ("skip", 0, "done"), ("end", 0, "done")]
)
def test_nobody_with_the_role(otherwise, mails, state):
    run = begin(
        make_sequence(mail_step(make_text(), to="billing", otherwise=otherwise), ASK), make_quiet("North")
    )
    advance(run.pk, now=NOW)
    assert OutboundEmail.objects.count() == mails
    assert fresh(run).state == state
    assert len(done(run)) == (1 if otherwise == "end" else 2)


def test_a_mail_that_waits_is_not_sent_after_an_early_end():
    from health.services.sequence_mail import still_wanted

    run = begin(make_sequence(mail_step(make_text()), EVENING), make_quiet("North"))
    advance(run.pk, now=NOW)
    email = OutboundEmail.objects.get()
    assert still_wanted(email)
    exit_run(run=run, reason="by_hand", acting_user=None, now=NOW)
    assert not still_wanted(email)


def test_the_account_is_assigned(scope):
    account = make_quiet("North")
    ben = Membership.objects.get(pk=scope.ben.pk)
    step = {"kind": "assign", "csm": str(ben.public_id), "only_empty": True}
    run = begin(make_sequence(step), account)
    advance(run.pk, now=NOW)
    account.refresh_from_db()
    assert account.csm == ben
    assert done(run) == [("assign", "done")]


def end_by_risk(account):
    Risk.objects.filter(account=account).update(closed_on=NOW.date())


def end_by_churn(account):
    account.subscriptions.update(ended_at=NOW)


def end_by_letting_go(account):
    LetGo.objects.create(account=account, note="x", decided_at=NOW)


def end_by_answer(account):
    log_touch(account=account, kind="call", occurred_at=NOW + DAY, acting_user=User.objects.first())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (end_by_risk, "risk_closed"),
        (end_by_churn, "churned"),
        (end_by_letting_go, "let_go"),
        (end_by_answer, "contact_answered"),
    ],
)
def test_it_ends_early(change, reason):
    account = make_quiet("North")
    risk = Risk.objects.get(account=account)
    sequence = make_sequence(ASK, EVENING, CHANGE, exits=["risk_closed", "churned", "contact_answered"])
    run = begin(sequence, account, f"risk:{risk.pk}")
    advance(run.pk, now=NOW)
    change(account)
    assert advance(run.pk, now=NOW + 3 * DAY) is None
    assert (fresh(run).state, fresh(run).end_reason) == ("exited", reason)
    assert not QueueItem.objects.filter(source__startswith="sequence:", closed_at=None).exists()
    assert not AccountTrait.objects.exists()


def test_a_running_run_keeps_its_version(scope):
    sequence = make_sequence(EVENING, ASK)
    run = begin(sequence, make_quiet("North"))
    advance(run.pk, now=NOW)
    publish(
        sequence=sequence, definition=definition(EVENING, CHANGE), note="", acting_user=scope.ada, now=NOW
    )
    advance(run.pk, now=NOW + 3 * DAY)
    assert done(run)[-1] == ("queue_item", "done")
    later = begin(sequence, make_quiet("South"), "hand:2")
    advance(later.pk, now=NOW)
    advance(later.pk, now=NOW + 3 * DAY)
    assert done(later)[-1] == ("set_trait", "done")


def test_a_paused_sequence_holds_its_runs(scope):
    sequence = make_sequence(EVENING, ASK)
    run = begin(sequence, make_quiet("North"))
    advance(run.pk, now=NOW)
    pause_sequence(sequence=sequence, acting_user=scope.ada, now=NOW)
    assert advance(run.pk, now=NOW + 4 * DAY) is None
    assert len(done(run)) == 1
    release_sequence(sequence=sequence, acting_user=scope.ada, now=NOW + 4 * DAY)
    advance(run.pk, now=NOW + 4 * DAY)
    assert done(run)[-1] == ("queue_item", "done")


def test_one_run_can_be_held(scope):
    run = begin(make_sequence(EVENING, ASK), make_quiet("North"))
    advance(run.pk, now=NOW)
    assert pause_run(run=run, acting_user=scope.ada)
    assert advance(run.pk, now=NOW + 4 * DAY) is None and len(done(run)) == 1
    assert resume_run(run=run, acting_user=scope.ada)
    advance(run.pk, now=NOW + 4 * DAY)
    assert fresh(run).state == "done"


def test_other_systems_are_told_once_by_the_outbox():
    endpoint = WebhookEndpoint.objects.create(
        url="https://example.com/", secret="whsec_c2VjcmV0", event_types=["playbook.step"]
    )
    tell = {"kind": "webhook", "message": "quiet"}
    account = make_quiet("North")
    run = begin(make_sequence(tell), account)
    advance(run.pk, now=NOW)
    delivery = WebhookDelivery.objects.get(endpoint=endpoint)
    assert delivery.message.payload["account"] == str(account.public_id)
    assert delivery.message.payload["message"] == "quiet"


def test_nobody_listening_is_said():
    run = begin(make_sequence({"kind": "webhook", "message": "quiet"}), make_quiet("North"))
    advance(run.pk, now=NOW)
    assert done(run) == [("webhook", "skipped")] and fresh(run).state == "done"
