"""A process that hangs in the middle of a transaction does not hold others up for ever."""

import json
import os
import subprocess
import sys
import time
from datetime import date

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from cs_platform.lib.patience import long_thought
from health.services.predictions import train
from tests.stack import REPOSITORY, STACK

SCRIPT = """
import json
from django.db import connections
import django; django.setup()
found = {}
for alias in connections:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM current_setting('idle_in_transaction_session_timeout')::interval)")
        found[alias] = float(cursor.fetchone()[0])
print(json.dumps(found))
"""


def idle_seconds() -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM current_setting('idle_in_transaction_session_timeout')::interval)"
        )
        return float(cursor.fetchone()[0])


@pytest.mark.parametrize(("process", "seconds"), [("web", 60), ("worker", 300), ("command", 1800)])
def test_every_connection_of_every_process_has_a_limit(db, process, seconds) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=REPOSITORY,
        env=os.environ | {"CS_PROCESS": process, "DJANGO_SETTINGS_MODULE": "cs_platform.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"default": seconds, "owner": seconds}


@pytest.mark.django_db(transaction=True)
def test_what_a_hanging_process_locked_is_free_again(cast) -> None:
    """The limit as the settings hand it over, cut to half a second."""
    options = settings.DATABASES["default"]["OPTIONS"]["options"]
    limit = f"idle_in_transaction_session_timeout={settings.IDLE_SECONDS}s"
    assert limit in options
    short = options.replace(limit, "idle_in_transaction_session_timeout=500ms")
    lock = "SELECT 1 FROM accounts_workspace WHERE id = %s FOR UPDATE"
    host, user = str(STACK.postgres.sockets), settings.DATABASES["default"]["USER"]
    with psycopg.connect(host=host, user=user, dbname="cs_platform", options=short) as hanging:
        hanging.execute(lock, [cast.workspace.pk])
        began = time.monotonic()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '20s'")
            cursor.execute(lock, [cast.workspace.pk])
        assert time.monotonic() - began >= 0.3, "nothing was locked: the test proves nothing"
        with pytest.raises(psycopg.DatabaseError):
            hanging.execute("SELECT 1")
        hanging.close()


@pytest.mark.django_db(transaction=True)
def test_a_process_that_was_cut_off_goes_on_with_a_new_connection() -> None:
    with pytest.raises(DatabaseError):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '100ms'")
            time.sleep(0.5)
            cursor.execute("SELECT 1")
    assert idle_seconds() == settings.IDLE_SECONDS


def test_long_thought_may_take_as_long_as_a_task(db, settings) -> None:
    settings.TASK_SECONDS, settings.IDLE_SECONDS = 1234, 321
    with long_thought():
        assert idle_seconds() == 1234
    assert idle_seconds() == 321


def test_training_is_announced_as_long_thought(scope, settings, monkeypatch) -> None:
    settings.TASK_SECONDS, settings.IDLE_SECONDS = 1234, 321
    seen = []

    def fit(table):
        seen.append(idle_seconds())
        raise InterruptedError

    monkeypatch.setattr("health.services.training.training_table", lambda **_: None)
    monkeypatch.setattr("health.ml.train_model", fit)
    with pytest.raises(InterruptedError):
        train(as_of=date(2026, 11, 20), horizon_days=90, acting_user=None)
    assert seen == [1234]
