"""Late, doubled, shuffled and later attributed events end in exactly the numbers of the tidy run."""

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account, Contact, Job
from accounts.services.jobs import run_due_jobs
from cs_platform.lib.scoping import workspace_scope
from health.intake.rows import EventRow
from health.models import (
    AccountDay,
    ContactDays,
    Event,
    IntakeBatch,
    UnattributedUser,
    UsageRollup,
    UserAlias,
)
from health.services import fold
from health.services.events import remove_events_of_import, store_events
from health.services.fold import fold_pending, fold_workspace
from tests.conftest import Cast

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NAMES = ("Signed In", "Report Created", "Export")
USERS = ("u0", "u1", "u2", "stranger", "")
GROUPS = ("", "", "a0", "a1", "later")


@pytest.fixture(params=["few cells", "many cells"], autouse=True)
def way_to_the_rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways in which the fold finds what is there; a test's few cells would take the first one only."""
    if request.param == "many cells":
        monkeypatch.setattr(fold, "MANY", 1)
        monkeypatch.setattr(fold, "ROWS_PER_CELL", 1_000_000)


def account(external_id: str) -> Account:
    return Account.objects.create(external_id=external_id, name=external_id, created_at=NOW)


def contact(of: Account, external_id: str) -> Contact:
    return Contact.objects.create(account=of, external_id=external_id, created_at=NOW)


def store(*rows: EventRow) -> None:
    store_events(rows, received_at=NOW, source="test")


def event(number: int, moment: datetime, **fields: Any) -> EventRow:
    return EventRow(moment, fields.pop("name", "Report Created"), f"m{number}", **fields)


def tables() -> tuple[list[Any], ...]:
    """Everything that the fold writes, by external names, in a fixed order."""
    names = dict(Account.objects.values_list("pk", "external_id"))
    people = {str(pk): external_id for pk, external_id in Contact.objects.values_list("pk", "external_id")}
    rollups = UsageRollup.objects.values_list("account_id", "day", "name", "events", "quantity")
    account_days = AccountDay.objects.values_list(
        "account_id", "day", "events", "quantity", "active_contacts", "distinct_names"
    )
    bits = ContactDays.objects.values_list("account_id", "person_key", "block", "bits")
    return (
        sorted((names[a], *rest) for a, *rest in rollups),
        sorted((names[a], *rest) for a, *rest in account_days),
        sorted((names[a], people.get(person, person), *rest) for a, person, *rest in bits),
    )


def forget_everything() -> None:
    models = (Event, IntakeBatch, UnattributedUser, UserAlias, UsageRollup, AccountDay, ContactDays)
    for model in (*models, Contact, Account):
        model.objects.all().delete()


class TestOneDay:
    def test_counts_events_people_and_kinds(self, scope: Cast) -> None:
        acme = account("acme")
        ann = contact(acme, "ann")
        moment = datetime(2026, 11, 2, 8, tzinfo=UTC)
        store(
            event(1, moment, user_key="ann", quantity=0.1),
            event(2, moment, user_key="ann", quantity=0.2),
            event(3, moment, user_key="bob", group_key="acme", name="Export"),
            event(4, moment, group_key="acme", name="Export", quantity=-3),
        )
        assert fold_pending() == 1
        assert set(UsageRollup.objects.values_list("name", "events", "quantity")) == {
            ("Report Created", 2, 0.3),
            ("Export", 2, -2.0),
        }
        day = AccountDay.objects.get()
        assert (day.account_id, day.day, day.events, day.quantity) == (acme.pk, date(2026, 11, 2), 4, -1.7)
        assert (day.active_contacts, day.distinct_names) == (2, 2)
        number = (date(2026, 11, 2) - date(1970, 1, 1)).days
        assert set(ContactDays.objects.values_list("person_key", "block", "bits")) == {
            (str(ann.pk), number // 32, 1 << number % 32),
            ("?bob", number // 32, 1 << number % 32),
        }
        assert not IntakeBatch.objects.exists()
        assert fold_pending() == 0

    def test_emptied_cells_go(self, scope: Cast) -> None:
        account("acme")
        moment = datetime(2026, 11, 2, 8, tzinfo=UTC)
        kept = [event(1, moment, group_key="acme", user_key="x")]
        extra = [
            event(2, moment, group_key="acme", user_key="x", name="Export"),
            event(3, moment + timedelta(days=1), group_key="acme", user_key="x"),
            event(4, moment + timedelta(days=40), group_key="acme", user_key="y"),
        ]
        store(*kept)
        fold_pending()
        tidy = tables()
        store_events(extra, received_at=NOW + timedelta(days=60), source="import", source_import_id=77)
        fold_pending()
        assert len(tables()[1]) == 3
        remove_events_of_import(77)
        fold_pending()
        assert tables() == tidy

    def test_deleted_accounts_are_skipped(self, scope: Cast) -> None:
        store_account = account("acme")
        store(event(1, NOW, group_key="acme"))
        store_account.delete()
        account("beta")
        store(event(2, NOW, group_key="beta"))
        assert fold_pending(limit=1) == 1
        assert [row[0] for row in tables()[1]] == ["beta"]

    def test_unchanged_cells_are_not_rewritten(self, scope: Cast) -> None:
        account("acme")
        store(event(1, NOW, group_key="acme", user_key="x"))
        fold_pending()
        before = versions()
        IntakeBatch.objects.create(
            received_at=NOW,
            source="test",
            events=0,
            account_ids=[Account.objects.get().pk],
            days=[NOW.date()],
        )
        fold_pending()
        assert versions() == before

    @pytest.mark.parametrize(
        ("zone", "day", "hours"),
        [
            ("Europe/Berlin", date(2026, 3, 29), 23),
            ("Europe/Berlin", date(2026, 10, 25), 25),
            ("America/Santiago", date(2026, 9, 6), 23),  # midnight itself is skipped
            ("Atlantic/Azores", date(2026, 10, 25), 25),  # midnight comes twice
            ("Asia/Kathmandu", date(2026, 6, 1), 24),
        ],
    )
    def test_every_hour_of_a_local_day_counts_once(
        self, scope: Cast, zone: str, day: date, hours: int
    ) -> None:
        scope.workspace.time_zone = zone
        scope.workspace.save()
        account("acme")
        start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=1)
        store(*(event(n, start + timedelta(minutes=15 + 30 * n), group_key="acme") for n in range(144)))
        fold_pending()
        counts = dict(AccountDay.objects.values_list("day", "events"))
        assert counts[day] == hours * 2
        assert sum(counts.values()) == 144

    def test_a_new_time_zone_redoes_all_days(self, scope: Cast) -> None:
        account("acme")
        moment = datetime(2026, 5, 5, 20, tzinfo=UTC)
        store(event(1, moment, group_key="acme", user_key="x"))
        fold_pending()
        scope.workspace.time_zone = "Asia/Seoul"
        scope.workspace.save()
        fold.refold_everything()
        fold_pending()
        assert [row[1] for row in tables()[1]] == [date(2026, 5, 6)]
        assert ContactDays.objects.count() == 1


def versions() -> list[Any]:
    """Transaction ids of the stored rows: they change when a row is rewritten."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT xmin::text, ctid::text FROM health_usagerollup UNION ALL SELECT xmin::text, ctid::text"
            " FROM health_accountday UNION ALL SELECT xmin::text, ctid::text FROM health_contactdays"
        )
        return cursor.fetchall()


moments = st.integers(0, 40 * 24 * 60 - 1).map(
    lambda m: datetime(2026, 10, 1, tzinfo=UTC) + timedelta(minutes=m)
)
event_lists = st.lists(
    st.tuples(
        moments,
        st.sampled_from(NAMES),
        st.sampled_from(USERS),
        st.sampled_from(GROUPS),
        st.floats(-100, 100, allow_nan=False),
    ),
    max_size=25,
).map(lambda rows: [EventRow(m, n, f"m{i}", u, g, q, None) for i, (m, n, u, g, q) in enumerate(rows)])


class TestAnyOrder:
    """The mess: a random order with repetitions, cut into batches, folds in between, people known at any time, and
    an import among it that is taken back."""

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(rows=event_lists, data=st.data())
    def test_the_mess_equals_the_tidy_run(
        self, scope: Cast, rows: list[EventRow], data: st.DataObject
    ) -> None:
        forget_everything()
        for learn in LEARN:
            learn()
        store(*rows)
        fold_pending()
        tidy = tables()

        forget_everything()
        repeated = rows + data.draw(st.lists(st.sampled_from(rows), max_size=8)) if rows else []
        imported = data.draw(event_lists.map(of_import))
        steps: list[Any] = [*repeated, *LEARN, fold_pending, fold_pending]
        if imported:
            steps.append(
                lambda: store_events(imported, received_at=NOW, source="import", source_import_id=77)
            )
        for step in data.draw(st.permutations(steps)):
            if isinstance(step, EventRow):
                store(step)
            else:
                step()
        remove_events_of_import(77)
        while fold_pending():
            pass
        assert tables() == tidy


def of_import(rows: list[EventRow]) -> list[EventRow]:
    """The same kind of events under ids of their own."""
    return [row._replace(message_id=f"import-{row.message_id}") for row in rows]


def learn_a0() -> None:
    contact(account("a0"), "u0")


def learn_a1() -> None:
    contact(account("a1"), "u1")


def learn_later() -> None:
    contact(account("later"), "u2")


LEARN = (learn_a0, learn_a1, learn_later)


@pytest.mark.django_db(transaction=True)
class TestAtTheSameTime:
    def test_folds_and_intake_lose_nothing(self, cast: Cast) -> None:
        """Four senders and two folders at once, then one last fold: as if it had been one after the other."""
        with workspace_scope(cast.workspace.pk):
            for name in ("a0", "a1"):
                contact(account(name), f"u-{name}")
        failures: list[BaseException] = []

        def send(sender: int) -> None:
            for batch in range(10):
                rows = [
                    event(n, NOW - timedelta(hours=n % 50), user_key=f"u-a{n % 2}", group_key=f"a{n % 2}")
                    for n in range(batch * 20, batch * 20 + 40 + sender)
                ]
                with workspace_scope(cast.workspace.pk):
                    store(*rows)

        def guarded(work: Any, *args: Any) -> None:
            try:
                work(*args)
            except BaseException as error:
                failures.append(error)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=guarded, args=(send, n)) for n in range(4)]
        threads += [
            threading.Thread(target=guarded, args=(fold_workspace, cast.workspace.pk)) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        fold_workspace(cast.workspace.pk)
        with workspace_scope(cast.workspace.pk):
            assert Event.objects.count() == 223
            folded = sum(AccountDay.objects.values_list("events", flat=True))
            assert folded == 223
            assert not IntakeBatch.objects.exists()

    def test_the_job_folds_and_ends(self, cast: Cast) -> None:
        with workspace_scope(cast.workspace.pk):
            account("acme")
            store(event(1, NOW, group_key="acme"))
        Job.objects.update(due_at=NOW - timedelta(days=1))
        assert run_due_jobs(limit=5, kind="health.fold") == 1
        assert not Job.objects.filter(kind="health.fold").exists()
        with workspace_scope(cast.workspace.pk):
            assert AccountDay.objects.get().events == 1
