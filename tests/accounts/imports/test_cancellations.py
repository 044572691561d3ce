"""Cancellations end what ran, say why, and stand on the timeline."""

import itertools

import pytest

from accounts.models import Activity, MrrMovement, Subscription
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.imports.files import counts, problems, utc

SUBSCRIPTIONS = (
    "external_id,account,mrr,started_at,ended_at\n"
    "open1,a,10,2024-01-01,\n"
    "open2,a,20,2024-03-01,\n"
    "known,a,30,2024-01-01,2024-06-20\n"
    "later,a,40,2024-12-01,\n"
    "other,b,50,2024-01-01,\n"
)
HEAD = "account,subscription,occurred_at,reason,cause,comment\n"


@pytest.fixture(autouse=True)
def _subscriptions(bring):
    with workspace_scope(bring.workspace.pk):
        bring("accounts", "external_id\na\nb\n")
        bring("subscriptions", SUBSCRIPTIONS)
        yield


def ends() -> dict[str, object]:
    return dict(Subscription.objects.values_list("external_id", "ended_at"))


def test_what_ran_without_an_end_ends(bring):
    text = HEAD + "a,,2024-06-01,competitor,,They left\n"
    assert counts(bring("cancellations", text)) == (1, 0, 0, 0)
    assert ends() == {
        "open1": utc(2024, 6, 1),
        "open2": utc(2024, 6, 1),
        "known": utc(2024, 6, 20),
        "later": None,
        "other": None,
    }
    row = Subscription.objects.get(external_id="open1")
    assert (row.status, row.ended_reason, row.ended_cause) == ("canceled", "switched_service", "voluntary")
    line = Activity.objects.get()
    assert (line.kind, line.body, line.occurred_at) == ("cancellation", "They left", utc(2024, 6, 1))
    assert line.data["properties"] == {"reason": "competitor"}
    assert MrrMovement.objects.filter(account__external_id="a", kind="reactivation").exists()
    assert counts(bring("cancellations", text)) == (0, 0, 1, 0)


def test_one_subscription_may_be_named(bring):
    bring("cancellations", HEAD + "a,open2,2024-06-01,,payment_failed,\n")
    assert {key for key, end in ends().items() if end} == {"open2", "known"}
    row = Subscription.objects.get(external_id="open2")
    assert (row.ended_cause, row.ended_reason) == ("involuntary", "")


def test_a_reason_is_added_to_an_end_that_is_known(bring):
    bring("cancellations", HEAD + "a,known,2024-06-25,budget,,\n")
    row = Subscription.objects.get(external_id="known")
    assert (row.ended_at, row.ended_reason) == (utc(2024, 6, 20), "too_expensive")


def test_unknown_words_are_other_and_kept(bring):
    bring("cancellations", HEAD + "b,,2024-06-01,moved to the moon,,\n")
    assert Subscription.objects.get(external_id="other").ended_reason == "other"
    assert Activity.objects.get().data["properties"]["reason"] == "moved to the moon"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_order_of_files_does_not_matter(bring, order):
    rows = ["a,,2024-09-01,support,,\n", "a,,2024-02-01,pricing,,\n", "a,,2024-05-01,features,,\n"]
    for number in order:
        bring("cancellations", HEAD + rows[number])
    assert ends()["open1"] == utc(2024, 2, 1)
    assert ends()["open2"] == utc(2024, 5, 1)
    assert ends()["known"] == utc(2024, 6, 20)
    assert Subscription.objects.get(external_id="open1").ended_reason == "too_expensive"


def test_what_is_unknown_is_refused(bring):
    text = (
        HEAD
        + "x,,2024-06-01,,,\na,nope,2024-06-01,,,\na,other,2024-06-01,,,\nb,,2024-06-01,,,\nb,,2024-06-01,,,again\n"
    )
    assert problems(bring("cancellations", text)) == [
        (2, "account", "unknown_account"),
        (3, "subscription", "unknown_subscription"),
        (4, "subscription", "other_account"),
        (6, "", "repeats_line"),
    ]
