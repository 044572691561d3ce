"""Events are stored once, whole or not at all, and find their accounts."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from accounts.models import Account, AccountAlias, Contact, Import, Job, Subscription
from cs_platform.lib.scoping import NoScope, workspace_scope
from health.intake.rows import EventRow
from health.models import Event, IntakeBatch, UnattributedUser, UserAlias
from health.services import events
from health.services.attribution import attribute_pending, detach_events
from health.services.events import remove_events_of_import, store_events
from tests.conftest import Cast

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def account(external_id: str) -> Account:
    return Account.objects.create(external_id=external_id, name=external_id, created_at=NOW)


def contact(of: Account, external_id: str, email: str = "") -> Contact:
    return Contact.objects.create(account=of, external_id=external_id, email=email, created_at=NOW)


def row(number: int = 0, **fields: object) -> EventRow:
    known = {
        "occurred_at": NOW - timedelta(minutes=number),
        "name": "Report Created",
        "message_id": f"m{number}",
    }
    return EventRow(**{**known, **fields})  # type: ignore[arg-type]


def store(*rows: EventRow) -> events.StoreResult:
    return store_events(rows, received_at=NOW, source="test")


def owner_of_only_event() -> tuple[int | None, int | None]:
    return Event.objects.values_list("account_id", "contact_id").get()


def test_stores_every_field_as_sent(scope: Cast) -> None:
    acme = account("acme")
    ann = contact(acme, "u1")
    text = 'tab\tnew\nline\r "quote" back\\slash \\u0000 \\N é 한국어'
    store(row(name=text, user_key="u1", quantity=2.5, properties={"text": text, "n": [1, None, True]}))
    event = Event.objects.get()
    assert (event.name, event.properties) == (text, {"text": text, "n": [1, None, True]})
    assert (event.account_id, event.contact_id, event.quantity) == (acme.pk, ann.pk, 2.5)
    assert (event.occurred_at, event.received_at, event.user_key, event.group_key) == (NOW, NOW, "u1", "")


def test_a_repeated_event_changes_nothing(scope: Cast) -> None:
    account("acme")
    first = store(row(group_key="acme"), row(1, group_key="acme"))
    again = store(row(group_key="acme"), row(2, group_key="acme"), row(2, group_key="acme"))
    assert (first.stored, first.duplicates) == (2, 0)
    assert (again.stored, again.duplicates) == (1, 2)
    assert Event.objects.count() == 3
    assert [batch.events for batch in IntakeBatch.objects.order_by("id")] == [2, 1]


def test_only_the_whole_key_makes_a_duplicate(scope: Cast) -> None:
    store(row(), row(occurred_at=NOW - timedelta(seconds=1)), row(message_id="other"))
    assert Event.objects.count() == 3


def test_without_a_message_id_the_payload_is_the_identity(scope: Cast) -> None:
    same = row(message_id="", properties={"a": 1, "b": 2})
    store(same, same._replace(properties={"b": 2, "a": 1}), same._replace(quantity=2.0))
    assert Event.objects.count() == 2


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"occurred_at": datetime(1, 1, 1, tzinfo=UTC)}, "timestamp"),
        ({"occurred_at": datetime(9999, 12, 31, tzinfo=UTC)}, "timestamp"),
        ({"occurred_at": NOW + timedelta(days=3)}, "timestamp"),
        ({"occurred_at": datetime(2026, 1, 1)}, "timestamp"),  # noqa: DTZ001
        ({"name": ""}, "event"),
        ({"name": "x" * 201}, "event"),
        ({"name": "a\0b"}, "event"),
        ({"user_key": "\ud800"}, "event"),
        ({"user_key": "u" * 201}, "userId"),
        ({"group_key": "g" * 201}, "groupId"),
        ({"quantity": float("nan")}, "quantity"),
        ({"quantity": float("inf")}, "quantity"),
        ({"properties": {"a": "\0"}}, "properties"),
        ({"properties": {"a\0": 1}}, "properties"),
        ({"properties": {"a": "\udfff"}}, "properties"),
        ({"properties": {"a": float("nan")}}, "properties"),
        ({"properties": {"a": {1, 2}}}, "properties"),
    ],
)
def test_a_bad_row_is_named_and_the_good_ones_are_kept(
    scope: Cast, fields: dict[str, object], field: str
) -> None:
    result = store(row(1), row(**fields), row(2))
    assert [(problem.index, problem.field) for problem in result.rejected] == [(1, field)]
    assert (result.stored, Event.objects.count()) == (2, 2)


def test_too_deep_nesting_is_refused(scope: Cast) -> None:
    deep: dict[str, object] = {}
    for _ in range(40):
        deep = {"a": deep}
    endless: dict[str, object] = {}
    for _ in range(100_000):
        endless = {"a": endless}
    flat = {f"k{number}": {} for number in range(100)}
    result = store(row(1, properties=deep), row(2, properties=flat), row(3, properties=endless))
    assert [problem.index for problem in result.rejected] == [0, 2]
    while endless:  # a deep structure is freed level by level, or the interpreter recurses
        endless = endless["a"]  # type: ignore[assignment]


def test_old_events_go_to_the_default_partition(scope: Cast) -> None:
    store(row(occurred_at=datetime(2001, 2, 3, tzinfo=UTC)))
    assert Event.objects.filter(occurred_at__year=2001).count() == 1


def test_cells_are_local_days(scope: Cast) -> None:
    scope.workspace.time_zone = "Asia/Seoul"
    scope.workspace.save()
    acme = account("acme")
    store(
        row(occurred_at=datetime(2026, 3, 1, 14, 59, tzinfo=UTC), group_key="acme"),
        row(occurred_at=datetime(2026, 3, 1, 15, 0, tzinfo=UTC), group_key="acme"),
    )
    batch = IntakeBatch.objects.get()
    assert sorted(str(day) for day in batch.days) == ["2026-03-01", "2026-03-02"]
    assert batch.account_ids == [acme.pk, acme.pk]


def test_storing_asks_for_one_fold(scope: Cast) -> None:
    store(row(1))
    store(row(2))
    assert Job.objects.filter(kind="health.fold", object_id=scope.workspace.pk).count() == 1


def test_a_running_fold_is_asked_to_run_again(scope: Cast) -> None:
    store(row(1))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_job SET lease_until = clock_timestamp() + interval '1 min', lease_owner = 'x'"
        )
    store(row(2))
    assert Job.objects.get(kind="health.fold").is_rerun_wanted


def test_needs_a_scope(cast: Cast) -> None:
    with pytest.raises(NoScope):
        store(row())


def test_another_workspace_never_sees_or_matches_it(cast: Cast) -> None:
    with workspace_scope(cast.other.pk):
        account("acme")
    with workspace_scope(cast.workspace.pk):
        store(row(group_key="acme"))
        assert owner_of_only_event() == (None, None)
    with workspace_scope(cast.other.pk):
        assert not Event.objects.exists()
        assert store(row(group_key="acme")).stored == 1
        assert attribute_pending() == 0


class TestAttribution:
    """How an event finds its account, and that it never guesses."""

    def test_by_account_id_subscription_or_alias(self, scope: Cast) -> None:
        acme = account("acme")
        Subscription.objects.create(account=acme, external_id="sub-1", currency="EUR", started_at=NOW)
        AccountAlias.objects.create(account=acme, key="old-acme")
        store(*(row(number, group_key=key) for number, key in enumerate(["acme", "sub-1", "old-acme"])))
        assert set(Event.objects.values_list("account_id", flat=True)) == {acme.pk}

    @pytest.mark.parametrize("key", ['a"b', "a\\b", "{a,b}", "NULL", "a'b", "한국", " "])
    def test_any_text_can_be_a_key(self, scope: Cast, key: str) -> None:
        acme = account(key)
        store(row(group_key=key), row(1, group_key=key + "x"))
        assert set(Event.objects.values_list("account_id", flat=True)) == {acme.pk, None}

    def test_by_the_contacts_id_mail_or_alias(self, scope: Cast) -> None:
        ann = contact(account("acme"), "u1", "ann@acme.test")
        UserAlias.objects.create(key="anonymous-7", user_key="u1")
        keys = ["u1", "ann@acme.test", "Ann@Acme.test", "anonymous-7"]
        store(*(row(number, user_key=key) for number, key in enumerate(keys)))
        assert set(Event.objects.values_list("account_id", "contact_id")) == {(ann.account_id, ann.pk)}

    def test_the_group_decides_over_the_contact(self, scope: Cast) -> None:
        acme, beta = account("acme"), account("beta")
        contact(acme, "u1")
        store(row(user_key="u1", group_key="beta"))
        assert owner_of_only_event() == (beta.pk, None)

    def test_an_unknown_group_is_not_replaced_by_the_contacts_account(self, scope: Cast) -> None:
        contact(account("acme"), "u1")
        store(row(user_key="u1", group_key="nobody"))
        assert owner_of_only_event() == (None, None)

    def test_what_is_ambiguous_waits(self, scope: Cast) -> None:
        acme, beta = account("acme"), account("beta")
        contact(acme, "u1", "ann@x.test")
        contact(beta, "u2", "ann@x.test")
        Subscription.objects.create(account=acme, external_id="beta", currency="EUR", started_at=NOW)
        store(row(1, user_key="ann@x.test"), row(2, group_key="beta"), row(3, user_key="ann@x.test"))
        assert set(Event.objects.values_list("account_id", flat=True)) == {None}
        assert attribute_pending() == 0
        waiting = UnattributedUser.objects.get(user_key="ann@x.test")
        assert (waiting.events, waiting.has_account, waiting.last_at - waiting.first_at) == (
            2,
            False,
            timedelta(minutes=2),
        )

    def test_a_group_tells_two_contacts_of_one_mail_apart(self, scope: Cast) -> None:
        contact(account("acme"), "u1", "ann@x.test")
        right = contact(account("beta"), "u2", "ann@x.test")
        store(row(user_key="ann@x.test", group_key="beta"))
        assert owner_of_only_event() == (right.account_id, right.pk)

    @pytest.mark.parametrize("learn", ["account", "subscription", "alias"])
    def test_a_group_learnt_later_takes_its_events(self, scope: Cast, learn: str) -> None:
        store(row(1, group_key="g"), row(2, group_key="g", user_key="u1"), row(3, group_key="h"))
        acme = account("g" if learn == "account" else "acme")
        if learn == "subscription":
            Subscription.objects.create(account=acme, external_id="g", currency="EUR", started_at=NOW)
        if learn == "alias":
            AccountAlias.objects.create(account=acme, key="g")
        assert attribute_pending(limit=1) == 2
        assert Event.objects.filter(account=acme).count() == 2
        assert {batch.account_ids[0] for batch in IntakeBatch.objects.all()} == {acme.pk}
        left = UnattributedUser.objects.values_list("user_key", "group_key", "has_account").order_by(
            "group_key"
        )
        assert list(left) == [("u1", "g", True), ("", "h", False)]
        assert attribute_pending() == 0

    def test_a_person_learnt_later_redoes_their_days(self, scope: Cast) -> None:
        acme = account("acme")
        store(row(1, user_key="u1", group_key="acme"), row(2, user_key="u1"))
        IntakeBatch.objects.all().delete()
        ann = contact(acme, "u1")
        assert attribute_pending() == 2
        assert set(Event.objects.values_list("account_id", "contact_id")) == {(acme.pk, ann.pk)}
        assert IntakeBatch.objects.get().events == 2
        assert not UnattributedUser.objects.exists()

    def test_events_of_deleted_accounts_wait_again(self, scope: Cast) -> None:
        acme = account("acme")
        store(row(group_key="acme"))
        assert detach_events([acme.pk]) == 1
        acme.delete()
        account("acme")
        assert attribute_pending() == 1


def test_undoing_an_import_takes_its_events_and_marks_their_days(scope: Cast) -> None:
    account("acme")
    run = Import.objects.create(kind="events")
    rows = [row(1, group_key="acme"), row(2, group_key="unknown"), row(3, group_key="acme", user_key="u")]
    store_events(rows, received_at=NOW, source="import", source_import_id=run.pk)
    store(row(4, group_key="acme"), row(5, group_key="unknown"))
    IntakeBatch.objects.all().delete()
    assert remove_events_of_import(run.pk) == 3
    assert Event.objects.count() == 2
    assert IntakeBatch.objects.get().events == 2
    assert UnattributedUser.objects.get().events == 1
    assert remove_events_of_import(run.pk) == 0
