"""From an empty installation to a scored queue, with a mouse and nothing else."""

from __future__ import annotations

import base64
import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.services import first_run
from accounts.services.jobs import run_due_jobs
from tests.builders import PASSWORD

CUSTOMERS = 12


def accounts_csv() -> str:
    rows = [f"c{n},Company {n},company{n}.example,{1 + n:02d}/02/2025,team" for n in range(CUSTOMERS)]
    return (
        "\n".join(["Customer ID,Company,Website,Signed up,Tier", *rows, "c0,Twice,,01/02/2025,team"]) + "\n"
    )


def subscriptions_csv() -> str:
    begun = (timezone.now() - timedelta(days=300)).date().isoformat()
    renews = (timezone.now() + timedelta(days=20)).date().isoformat()
    rows = [f"s{n},c{n},Growth,{100 + n},{begun},{renews}" for n in range(CUSTOMERS)]
    return "\n".join(["id,account,plan,mrr,started_at,renews_at", *rows]) + "\n"


def events_csv() -> str:
    """Everybody was busy until three weeks ago; then most fell silent."""
    now = timezone.now()
    rows = [
        f"c{n},Report Created,{(now - timedelta(days=day)).date().isoformat()}"
        for n in range(CUSTOMERS)
        for day in range(22 if n else 1, 80)
    ]
    return "\n".join(["account,event,occurred_at", *rows]) + "\n"


def bring(page: Page, kind: str, text: str, count: str) -> None:
    page.goto(f"/settings/imports/new/?kind={kind}")
    file = {"name": f"{kind}.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.locator("[name=file]").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_text(re.compile("Reading the file|Checking every row")).first).to_be_visible()
    run_due_jobs(limit=20)
    page.get_by_role("button", name=f"Import {count} rows").click()
    expect(page.get_by_text("Importing", exact=True)).to_be_visible()
    run_due_jobs(limit=50)
    expect(page.get_by_text("Rows read")).to_be_visible()


@pytest.mark.django_db(transaction=True)
def test_from_nothing_to_the_first_queue(page: Page, live_server: Any) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", name="Set up this installation")).to_be_visible()
    page.get_by_label("Set-up code").fill(first_run.new_setup_code(now=timezone.now()))
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Your mail address").fill("ada@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Name of the workspace").fill("Nordwind")
    page.get_by_role("button", name="Create the workspace").click()
    expect(page.get_by_text("0 of 6 steps")).to_be_visible()

    page.get_by_role("link", name="Import accounts").click()
    expect(page.get_by_role("heading", name="New import")).to_be_visible()
    bring(page, "accounts", accounts_csv(), str(CUSTOMERS))
    expect(page.get_by_text("is already in line 2 of this file")).to_be_visible()
    bring(page, "subscriptions", subscriptions_csv(), str(CUSTOMERS))
    bring(page, "events", events_csv(), str(58 * (CUSTOMERS - 1) + 79))

    page.goto("/settings/connect/")
    page.get_by_role("button", name="Make a write key").click()
    key = page.locator("pre.code code").first.inner_text()
    header = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
    body = '{"userId": "u1", "event": "Signed In", "context": {"groupId": "c0"}}'
    sender = Client(headers={"Authorization": header})
    began = time.monotonic()
    assert sender.post("/v1/track", body, content_type="application/json").status_code == 200
    expect(page.locator("#arrivals")).to_contain_text("Signed In", timeout=5_000)
    assert time.monotonic() - began < 5
    assert sender.post("/v1/track", '{"userId": "u1"}', content_type="application/json").status_code == 422
    expect(page.locator("#arrivals")).to_contain_text("is missing or not a text", timeout=5_000)
    assert key in page.content(), "the live sign took the key away"

    page.goto("/settings/members/")
    page.get_by_label("Mail address").fill("ben@example.com")
    page.get_by_role("button", name="Send invitation").click()
    page.goto("/welcome/")
    expect(page.get_by_text("3 of 6 steps")).to_be_visible()
    page.get_by_role("link", name="Open the nightly runs").click()
    page.get_by_role("button", name="Run now").click()
    run_due_jobs(limit=100)
    page.goto("/")
    expect(page.get_by_text("4 of 6 done")).to_be_visible()
    page.get_by_role("link", name="Open the queue").first.click()
    expect(page.get_by_role("link", name="Company 3", exact=True).first).to_be_visible()


@pytest.mark.django_db(transaction=True)
def test_a_hidden_page_asks_nothing(page: Page, cast: Any, sign_in: Any) -> None:
    sign_in(page, cast.ada)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/live/" in request.url else None)
    page.goto("/settings/connect/")
    page.wait_for_timeout(2_600)
    assert asked
    page.evaluate("Object.defineProperty(document, 'visibilityState', {get: () => 'hidden'})")
    page.wait_for_timeout(300)
    count = len(asked)
    page.wait_for_timeout(2_600)
    assert len(asked) == count
