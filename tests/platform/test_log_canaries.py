"""Nothing of people, no key, no token and no text is in a log: canaries through the whole product, then a search."""

from __future__ import annotations

import http.client
import io
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DataError, IntegrityError, connection
from django.test import Client

from accounts.models import Job
from accounts.registry import JobKind, job_kinds
from accounts.services.jobs import run_due_jobs
from accounts.services.workspaces import create_api_key
from cs_platform.lib.scoping import workspace_scope
from tests.builders import make_account, make_contact
from tests.health.intake.web import RealWeb
from tests.workers import RealWorker

# Sends a request and returns its status: (method, path, form, json body, headers).
Send = Callable[..., int]
NEEDED = 50


class Canaries:
    """Values that occur nowhere else, each used at one place."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __call__(self, shape: str = "{}") -> str:
        value = f"zqcanary{len(self.made):02}x"
        self.made.append(value)
        return shape.format(value)

    def in_text(self, text: str) -> list[str]:
        return [line for line in text.splitlines() if "zqcanary" in line.lower()]


def browse(send: Send, new: Canaries, account: Any, contact: Any) -> None:
    """What a member, a customer's person and a stranger do, with something of theirs in every place."""
    mail = "{}@example.com"
    here = f"/accounts/{account.public_id}/"
    send("POST", f"/login/?next=/{new()}", form={"login": new(mail), "password": new()})
    send("POST", "/password/reset/", form={"email": new(mail)})
    for path in (
        "/invitations/{}/",
        "/unsubscribe/{}/",
        "/s/{}/",
        "/mail-preferences/{}/",
        "/pay/{}/",
        "/pay/{}/done/",
        "/{}",
        "/queue/?q={}",
    ):
        send("GET", new(path))
    for path in ("/accounts/?q={}", "/search/?q={}", "/queue/?view={}", "/settings/suppressions/?q={}"):
        send("GET", new(path), headers={"User-Agent": new(), "Referer": new("http://127.0.0.1/{}")})
    send("POST", f"{here}notes/", form={"body": new()})
    send("POST", f"{here}touches/", form={"kind": "call", "title": new(), "body": new()})
    send("POST", f"{here}let-go/", form={"note": new()})
    words = {"contact": str(contact.public_id), "subject": new(), "body": new("Hello {}, good news.")}
    send("POST", f"{here}mail/", form=words)
    send("POST", "/settings/members/", form={"email": new(mail), "role": "csm"})
    send("POST", "/settings/suppressions/", form={"address": new(mail), "reason": "manual", "note": new()})
    send("POST", "/settings/keys/", form={"scope": "read", "name": new()})
    hook = {"url": new("https://example.com/{}"), "description": new(), "event_types": ["account.churned"]}
    send("POST", "/settings/webhooks/new/", form=hook)
    send("POST", "/settings/profile/", form={"name": new(), "time_zone": new()})
    send("POST", "/saved-views/", form={"page": "queue", "name": new(), "query": new("q={}")})
    send("POST", f"/webhooks/mail/{account.public_id}/?secret={new()}", body={"Recipient": new(mail)})


def send_events(send: Send, new: Canaries, key: str) -> None:
    mail, bearer = "{}@example.com", {"Authorization": f"Bearer {key}"}
    good = {"type": "identify", "userId": new(), "traits": {"email": new(mail), "name": new(), new(): new()}}
    event = {
        "type": "track",
        "userId": new(),
        "event": new(),
        "properties": {new(): new()},
        "messageId": new(),
    }
    for path, body in (
        ("/v1/identify", good),
        ("/v1/track", event),
        ("/v1/batch", {"batch": [good, {"x": new()}]}),
    ):
        send("POST", path, body=body, headers=bearer)
    send("POST", "/v1/track", body=event, headers={"Authorization": new("Bearer {}")})
    send("POST", "/v1/track", body=new(), headers=bearer)
    send("GET", new("/api/v1/accounts?cursor={}"), headers=bearer)
    send("GET", new("/api/v1/accounts/{}"), headers={"Authorization": new("Bearer {}")})
    send("POST", "/api/v1/accounts", body={"name": new(), "external_id": new()}, headers=bearer)


@pytest.fixture
def world(transactional_db: None, cast: Any) -> tuple[Any, Any, str]:
    """An account, its contact, and a key that may write."""
    with workspace_scope(cast.workspace.pk):
        account = make_account("Alder")
        _, key = create_api_key(workspace=cast.workspace, scope="write", acting_user=None)
        return account, make_contact(account), str(key)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the product's own handler writes, in its own format."""
    handlers = [h for h in logging.getLogger().handlers if type(h) is logging.StreamHandler]
    said = io.StringIO()
    before, level = [(handler, handler.setStream(said)) for handler in handlers], logging.getLogger().level
    logging.getLogger().setLevel(logging.INFO)
    yield said
    logging.getLogger().setLevel(level)
    for handler, stream in before:
        handler.setStream(stream)


def test_a_whole_run_logs_nobody(cast: Any, world: Any, written: io.StringIO) -> None:
    """In one process, with pages and jobs that fail in ways which quote what they were given."""
    client = Client(raise_request_exception=False)
    client.force_login(cast.ada, backend="django.contrib.auth.backends.ModelBackend")
    new, (account, contact, key) = Canaries(), world

    def send(method: str, path: str, *, form: Any = None, body: Any = None, headers: Any = None) -> int:
        data = form if body is None else json.dumps(body)
        kind = {} if body is None else {"content_type": "application/json"}
        status: int = getattr(client, method.lower())(path, data, headers=headers, **kind).status_code
        return status

    browse(send, new, account, contact)
    send_events(send, new, key)
    import_file(client, new)
    run_due_jobs(limit=100)
    fail_everywhere(cast, client, new)
    said = written.getvalue()
    assert new.in_text(said) == []
    assert len(new.made) >= NEEDED
    failed = [line for line in said.splitlines() if '"job.failed"' in line or "Internal Server" in line]
    assert all('"error"' in line and '"at"' in line for line in failed), "an error without its type and place"
    assert len(failed) >= 16, "hardly anything was logged: the run proves nothing"


def import_file(client: Client, new: Canaries) -> None:
    lines = [f"id,name,{new()}", f"{new()},{new()},1", f'"{new()},broken']
    file = SimpleUploadedFile(new("{}.csv"), "\n".join(lines).encode(), "text/csv")
    page = client.post("/settings/imports/new/", {"kind": "accounts", "file": file}).headers.get(
        "Location", ""
    )
    client.post(page or "/", {"column-0": "external_id", "column-1": "name", "column-2": "-"})


def errors(new: Canaries) -> Iterator[Exception]:
    """As Python, Django and Postgres word them."""
    yield KeyError(new())
    yield KeyError(new("O'{}"))
    yield ValueError(f"invalid literal for int() with base 10: {new()!r}")
    yield ValueError(new("no {}@example.com here"))
    yield DataError(f'invalid input syntax for type integer: "{new()}"\nCONTEXT: {new()}')
    yield DataError(new('invalid input syntax for type json: "{}\nDETAIL: more'))
    yield IntegrityError(
        f'duplicate key value violates unique constraint "x"\nDETAIL: Key (a)=({new()}) exists.'
    )
    yield UnicodeEncodeError("ascii", new("{}\u20ac"), 0, 1, new("a reason with “{}”"))


def fail_everywhere(cast: Any, client: Client, new: Canaries) -> None:
    """Each error once on a page and once in a job."""
    for error in errors(new):

        def fail(*args: Any, wrong: Exception = error) -> None:
            raise wrong

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("accounts.views.entrance.render", fail)
            assert client.get(new("/invitations/{}/")).status_code == 500
            patch.setitem(job_kinds._items, "test.fails", JobKind("test.fails", fail, max_attempts=1))
            with workspace_scope(cast.workspace.pk):
                Job.objects.put("test.fails", 1)
            run_due_jobs(limit=1, kind="test.fails")


@pytest.mark.worker
@pytest.mark.slow
def test_real_processes_log_nobody(
    cast: Any, world: Any, valkey: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The web server and the worker as they run in production, and a mail server that is not there."""
    monkeypatch.setenv("EMAIL_URL", "smtp://127.0.0.1:9?tls=0")
    monkeypatch.setenv("LOG_LEVEL", "INFO")
    web, worker = RealWeb(tmp_path / "web.log"), RealWorker(tmp_path / "worker.log")
    new, (account, contact, key) = Canaries(), world
    login = Client()
    login.force_login(cast.ada, backend="django.contrib.auth.backends.ModelBackend")
    token = "a" * 32
    cookie = (
        f"{settings.SESSION_COOKIE_NAME}={login.session.session_key}; {settings.CSRF_COOKIE_NAME}={token}"
    )
    statuses = []

    def send(method: str, path: str, *, form: Any = None, body: Any = None, headers: Any = None) -> int:
        kind = "application/json" if body is not None else "application/x-www-form-urlencoded"
        data = json.dumps(body) if body is not None else urlencode(form or {}, doseq=True)
        sent = {"Cookie": cookie, "Content-Type": kind, "X-CSRFToken": token, **(headers or {})}
        peer = http.client.HTTPConnection("127.0.0.1", web.port, timeout=20)
        peer.request(method, path, data if method == "POST" else None, sent)
        statuses.append(peer.getresponse().status)
        peer.close()
        return statuses[-1]

    try:
        web.start()
        worker.start()
        browse(send, new, account, contact)
        send_events(send, new, key)
        with workspace_scope(cast.workspace.pk):
            Job.objects.put("unknown.kind", 1)
        worker.wait_for(lambda: Job.objects.filter(kind="unknown.kind", parked_at__isnull=False).exists(), 30)
    finally:
        worker.stop()
        web.kill()
        connection.close()
    said = (tmp_path / "web.log").read_text() + (tmp_path / "worker.log").read_text()
    assert new.in_text(said) == []
    assert max(status for status in statuses if status != 503) < 500, statuses
    assert sum(status in (200, 202, 302) for status in statuses) > 12, statuses
    assert "job.parked" in said, "the logs are empty: the run proves nothing"
