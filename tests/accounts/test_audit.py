"""History that cannot be changed unseen."""

import json
import random
import re

import pytest

from accounts.models import AuditEntry
from accounts.services.audit import audit, verify_audit_log
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.web import web
from tests.stack import STACK

pytestmark = pytest.mark.django_db(transaction=True)
TABLE = AuditEntry._meta.db_table


def entries(cast, count):
    with workspace_scope(cast.workspace.pk):
        return [audit("test.thing.done", acting_user=cast.ada, number=n) for n in range(count)]


def verify(cast):
    with workspace_scope(cast.workspace.pk):
        return verify_audit_log()


def test_an_untouched_log_verifies(cast):
    entries(cast, 3)
    found = verify(cast)
    with workspace_scope(cast.workspace.pk):
        assert found.is_sound and found.entries == AuditEntry.objects.count()


@pytest.mark.parametrize("place", ["first", "middle", "last"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {t} SET action = 'x' WHERE id = %s",
        "UPDATE {t} SET data = '{{}}' WHERE id = %s",
        "UPDATE {t} SET actor_id = NULL WHERE id = %s",
        "UPDATE {t} SET created_at = created_at - interval '1 s' WHERE id = %s",
        "DELETE FROM {t} WHERE id = %s",
    ],
)
def test_an_edit_or_a_removal_is_found(cast, statement, place):
    made = entries(cast, 4)
    victim = {"first": made[0], "middle": made[2], "last": made[3]}[place]
    with STACK.postgres.connect() as superuser:
        superuser.execute(statement.format(t=TABLE), [victim.pk])
        superuser.commit()
    found = verify(cast)
    assert not found.is_sound
    if "UPDATE" in statement:
        assert found.broken_id == victim.pk
    elif place == "last":
        assert found.is_cut, "the end is held by the log's head"
    else:
        assert found.broken_id == next(e.pk for e in made if e.pk > victim.pk)


@pytest.mark.parametrize(
    ("rows", "tries"),
    [(2_000, 10), pytest.param(100_000, 100, marks=pytest.mark.soak)],
    ids=["quick", "long"],
)
def test_one_of_many_is_found_every_time(cast, rows, tries):
    """Check 54: each try edits or removes one random row of the long log, and takes it back."""
    fill(cast, rows)
    chance = random.Random(54)
    with workspace_scope(cast.workspace.pk):
        ids = list(AuditEntry.objects.order_by("pk").values_list("pk", flat=True))
    assert verify(cast).entries == len(ids) > rows
    with STACK.postgres.connect() as superuser:
        superuser.execute("CREATE TABLE kept AS SELECT * FROM accounts_auditentry WHERE false")
        for number in range(tries):
            victim = chance.choice(ids)
            superuser.execute("TRUNCATE kept")
            superuser.execute(f"INSERT INTO kept SELECT * FROM {TABLE} WHERE id = %s", [victim])
            if number % 2:
                superuser.execute(f"DELETE FROM {TABLE} WHERE id = %s", [victim])
            else:
                superuser.execute(
                    f"UPDATE {TABLE} SET object_id = 1 + coalesce(object_id, 0) WHERE id = %s", [victim]
                )
            superuser.commit()
            assert not verify(cast).is_sound, (number, victim)
            superuser.execute(f"DELETE FROM {TABLE} WHERE id = %s", [victim])
            superuser.execute(f"INSERT INTO {TABLE} SELECT * FROM kept")
            superuser.commit()
        superuser.execute("DROP TABLE kept")
        superuser.commit()
    assert verify(cast).is_sound, "everything was put back"


def fill(cast, rows):
    """A long log written by SQL, with the very digests that `audit` would write."""
    sql = f"""
        DO $$
        DECLARE previous bytea; count bigint; at timestamptz := '2026-01-01 00:00:00.000001+00';
        BEGIN
          SELECT digest, entries INTO previous, count FROM accounts_audithead WHERE workspace_id = {cast.workspace.pk};
          FOR n IN 1..{rows} LOOP
            previous := sha256(previous || convert_to(format(
              '["test.thing.done", %s, "test.thing", %s, {{"number": %s}}, "2026-01-01T00:00:00.000001+00:00"]',
              {cast.ada.pk}, n, n), 'UTF8'));
            INSERT INTO {TABLE} (workspace_id, action, actor_id, object_type, object_id, data, created_at, digest)
            VALUES ({cast.workspace.pk}, 'test.thing.done', {cast.ada.pk}, 'test.thing', n,
                    jsonb_build_object('number', n), at, previous);
          END LOOP;
          UPDATE accounts_audithead SET digest = previous, entries = count + {rows}
           WHERE workspace_id = {cast.workspace.pk};
        END $$"""
    with workspace_scope(cast.workspace.pk):
        audit("test.log.begun", acting_user=None)
    with STACK.postgres.connect() as superuser:
        superuser.execute(sql)
        superuser.commit()


# --- The page ---------------------------------------------------------------------------------------------------


def page(cast, query=""):
    return web(cast.ada).get(f"/settings/audit/{query}").content.decode()


def rows_of(text):
    return re.findall(r"number=(\d+)", text)


def test_pages_hold_every_entry_once(cast):
    entries(cast, 130)
    seen, address = [], "/settings/audit/?action=test.thing.done"
    while address:
        text = web(cast.ada).get(address).content.decode()
        seen += rows_of(text)
        link = re.search(r'rel="next" href="([^"]+)"', text)
        address = f"/settings/audit/{link[1].replace('&amp;', '&')}" if link else ""
    assert seen == [str(n) for n in range(129, -1, -1)]


def test_filters_narrow_by_person_action_object_and_day(cast):
    entries(cast, 2)
    with workspace_scope(cast.workspace.pk):
        audit("test.other.done", acting_user=cast.ben.user, target=cast.ben, number=77)
        audit("test.system.done", acting_user=None, number=88)
    assert rows_of(page(cast, f"?who={cast.ben.public_id}")) == ["77"]
    assert rows_of(page(cast, "?who=system&action=test.system.done")) == ["88"]
    assert rows_of(page(cast, f"?object=accounts.membership:{cast.ben.pk}&action=test.other.done")) == ["77"]
    assert rows_of(page(cast, "?action=test.thing.done")) == ["1", "0"]
    assert rows_of(page(cast, "?until=2020-01-01")) == []
    assert rows_of(page(cast, "?since=2020-01-01"))[:4] == ["88", "77", "1", "0"]
    text = page(cast, "?since=nonsense&who=nobody&object=x")
    assert "Ben" in text, "a filter that cannot be read is left out, the page stands"


def test_an_export_has_the_filter_and_no_formula(cast):
    with workspace_scope(cast.workspace.pk):
        audit("test.other.done", acting_user=cast.ben.user, note="=1+1")
    entries(cast, 2)
    answer = web(cast.ada).get(f"/settings/audit/export/?who={cast.ben.public_id}")
    text = answer.content.decode()
    assert "test.other.done" in text and "Ben" in text and "test.thing.done" not in text
    assert "attachment" in answer["Content-Disposition"]


def test_the_button_says_what_it_found(cast):
    made = entries(cast, 3)
    client = web(cast.ada)
    found = client.post("/settings/audit/verification/", follow=True).content.decode()
    assert "follow from each other" in found
    with STACK.postgres.connect() as superuser:
        superuser.execute(f"UPDATE {TABLE} SET data = %s WHERE id = %s", [json.dumps({"a": 1}), made[1].pk])
        superuser.commit()
    broken = client.post("/settings/audit/verification/", follow=True).content.decode()
    assert f"entry {made[1].pk}" in broken.lower()


def test_the_page_asks_the_same_queries_for_few_and_many(cast, django_assert_max_num_queries):
    client = web(cast.ada)
    for count in (1, 60):
        entries(cast, count)
        with django_assert_max_num_queries(22):
            client.get("/settings/audit/")
