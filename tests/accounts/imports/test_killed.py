"""An import whose worker is killed goes on behind its last whole chunk, and one that lost its lease writes nothing."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import Account, AccountTrait, Import, ImportReject, ImportUpload, Job
from accounts.registry import import_kinds
from accounts.services import jobs
from accounts.services.jobs import run_due_jobs
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.imports.test_browser_path import columns, upload
from tests.accounts.web import web
from tests.builders import expire_leases
from tests.conftest import Cast

pytestmark = pytest.mark.django_db(transaction=True)
ROWS, CHUNK = 400, 20
KILLS = int(os.environ.get("IMPORT_KILLS", "4"))


def table() -> str:
    """Every tenth row is refused, every seventh repeats the id of the first row of its chunk."""
    lines = ["id,name,created,tier"]
    for n in range(ROWS):
        key = "a0" if n and n % 77 == 0 else f"a{n}"
        day = "never" if n % 10 == 9 else "2025-01-02"
        lines.append(f"{key},Name {n},{day},{n % 3}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = import_kinds.get("accounts")
    object.__setattr__(kind, "chunk", CHUNK)
    yield
    object.__setattr__(kind, "chunk", 2_000)


@pytest.fixture
def asked_for(cast: Cast, small_chunks: None) -> Client:
    """A checked file that somebody has asked to be imported."""
    ada = web(cast.ada)
    page = upload(ada, table())["Location"]
    ada.post(page, columns("external_id", "name", "created_at", "", date_format="iso"))
    run_due_jobs(limit=5)
    ada.post(page.replace("columns", "import"))
    return ada


def outcome(cast: Cast) -> dict[str, Any]:
    with workspace_scope(cast.workspace.pk):
        run = Import.objects.get()
        rejects = list(ImportReject.objects.order_by("line").values_list("line", flat=True))
        return {
            "status": run.status,
            "counts": (run.rows_read, run.rows_created, run.rows_updated, run.rows_rejected),
            "accounts": Account.objects.count(),
            "traits": AccountTrait.objects.count(),
            "rejects": rejects,
            "state": ImportUpload.objects.get().state,
        }


def undisturbed() -> dict[str, Any]:
    bad = {n for n in range(ROWS) if n % 10 == 9} | {n for n in range(ROWS) if n and n % 77 == 0}
    good = ROWS - len(bad)
    return {
        "status": "done",
        "counts": (ROWS, good, 0, len(bad)),
        "accounts": good,
        "traits": good,
        "rejects": sorted(n + 2 for n in bad),
        "state": "finished",
    }


def in_a_child(work: Callable[[], None]) -> int:
    """A worker process of its own connection, that can be killed."""
    connection.close()
    pid = os.fork()
    if pid == 0:
        connection.close()
        try:
            work()
        finally:
            os._exit(0)
    return pid


def test_killed_again_and_again_it_ends_as_if_nothing_had_been(cast: Cast, asked_for: Client) -> None:
    seed = int(os.environ.get("SEED", "0")) or random.randrange(10**6)
    print(f"seed {seed}")
    rng = random.Random(seed)
    killed = 0
    while killed < KILLS:
        pid = in_a_child(lambda: run_due_jobs(limit=1, kind="accounts.import_run"))
        time.sleep(rng.uniform(0.15, 0.6))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        killed += 1
        expire_leases()
        Job.objects.filter(kind="accounts.import_run").update(attempts=0)
        with workspace_scope(cast.workspace.pk):
            for run in Import.objects.all():
                assert run.rows_read % CHUNK == 0, "half a chunk was kept"
    run_due_jobs(limit=5, kind="accounts.import_run")
    assert outcome(cast) == undisturbed()


def test_killed_behind_a_chunk_the_next_worker_goes_on(
    cast: Cast, asked_for: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    from accounts.services import import_jobs

    progress = import_jobs._Work.progress
    seen: list[int] = []

    def dies(self: Any, done: int, total: int) -> None:
        progress(self, done, total)
        seen.append(done)
        if len(seen) == 5:
            raise Killed

    monkeypatch.setattr(import_jobs._Work, "progress", dies)
    with pytest.raises(Killed):
        run_due_jobs(limit=1, kind="accounts.import_run")
    with workspace_scope(cast.workspace.pk):
        assert Import.objects.get().rows_read == 5 * CHUNK
    expire_leases()
    run_due_jobs(limit=1, kind="accounts.import_run")
    assert seen == [CHUNK * (n + 1) for n in range(ROWS // CHUNK)], "a chunk was read twice or left out"
    assert outcome(cast) == undisturbed()


def test_a_worker_whose_lease_went_writes_no_further_chunk(
    cast: Cast, asked_for: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accounts.services import import_jobs

    progress = import_jobs._Work.progress

    def loses_it(self: Any, done: int, total: int) -> None:
        if done == 2 * CHUNK:
            Job.objects.filter(kind="accounts.import_run").update(lease_owner="somebody else")
        progress(self, done, total)

    monkeypatch.setattr(import_jobs._Work, "progress", loses_it)
    run_due_jobs(limit=1, kind="accounts.import_run")
    with workspace_scope(cast.workspace.pk):
        assert Import.objects.get().rows_read == 2 * CHUNK
    monkeypatch.undo()
    expire_leases()
    run_due_jobs(limit=1, kind="accounts.import_run")
    assert outcome(cast) == undisturbed()


def test_stopped_between_chunks_it_keeps_whole_ones_and_can_be_undone(
    cast: Cast, asked_for: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accounts.services import import_jobs

    progress = import_jobs._Work.progress

    def stop(self: Any, done: int, total: int) -> None:
        progress(self, done, total)
        if done == 3 * CHUNK:
            page = f"/settings/imports/files/{self.upload.public_id}/cancel/"
            assert asked_for.post(page).status_code == 302

    monkeypatch.setattr(import_jobs._Work, "progress", stop)
    run_due_jobs(limit=1, kind="accounts.import_run")
    found = outcome(cast)
    assert (found["status"], found["counts"][0]) == ("canceled", 3 * CHUNK)
    with workspace_scope(cast.workspace.pk):
        run = Import.objects.get()
    asked_for.post(f"/settings/imports/{run.public_id}/undo/")
    run_due_jobs(limit=1, kind="accounts.import_undo")
    assert (outcome(cast)["status"], outcome(cast)["accounts"]) == ("undone", 0)


def test_the_lease_is_kept_while_a_long_dry_run_goes_on(
    cast: Cast, asked_for: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check runs in one transaction; its lease grows and its progress shows from a second connection."""
    from accounts.services import import_jobs

    with workspace_scope(cast.workspace.pk):
        found = ImportUpload.objects.get()
        ImportUpload.objects.update(state=ImportUpload.State.CHECKING)
        Job.objects.all().delete()
        Job.objects.put("accounts.import_check", found.pk)
    progress = import_jobs._Work.progress
    shown: list[Any] = []

    def slow(self: Any, done: int, total: int) -> None:
        progress(self, done, total)
        if done == 5 * CHUNK:
            time.sleep(1.5)
            upload = ImportUpload.objects.get()
            shown.append((Job.objects.get().lease_until, upload.rows_done))

    monkeypatch.setattr(import_jobs._Work, "progress", slow)
    lease = jobs.claim(kind="accounts.import_check")
    assert lease is not None
    before = Job.objects.get().lease_until
    jobs.run(lease)
    assert before is not None
    assert shown[0][0] > before
    assert shown[0][1] == 5 * CHUNK
    with workspace_scope(cast.workspace.pk):
        assert ImportUpload.objects.get().state == ImportUpload.State.CHECKED
