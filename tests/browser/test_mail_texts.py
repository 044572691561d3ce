"""A mail is seen while it is written, from the editor and from the queue's drawer; nothing leaves by itself."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import MailText, OutboundEmail
from cs_platform.lib.scoping import workspace_scope
from tests.browser.axe import violations
from tests.builders import make_contact, queued

pytestmark = pytest.mark.browser


@pytest.fixture
def text(cast: Any) -> MailText:
    with workspace_scope(cast.workspace.pk):
        make_contact(queued("Alder", csm=cast.ben))
        return MailText.objects.get(key="introduction")


def test_the_preview_follows_and_back_leads_to_the_page_before(
    page: Page, cast: Any, text: MailText, sign_in: Any
) -> None:
    sign_in(page, cast.ada)
    page.goto("/settings/texts/")
    page.get_by_role("link", name="Introducing myself").click()
    mail = page.frame_locator("iframe.mail-frame:not(.is-coming)")
    expect(mail.locator("p.t").first).to_have_text("Hi Mina,")
    before = page.evaluate("history.length")
    for words in ("First try", "Second **try**"):
        page.fill("#en-body", words + " {{ contact.name }}")
        expect(mail.locator("p.t").first).to_contain_text(words.replace("*", ""))
    expect(mail.locator("strong")).to_have_text("try")
    page.locator(".mail-preview label", has_text="Dark").click()
    expect(mail.locator("td.card")).to_have_css("background-color", "rgb(29, 34, 43)")
    assert page.evaluate("history.length") == before
    assert violations(page) == []


def test_a_mail_is_written_from_the_drawer_and_taken_back(
    page: Page, cast: Any, text: MailText, sign_in: Any
) -> None:
    sign_in(page, cast.ben.user)
    page.goto("/queue/")
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.locator("#drawer-content").get_by_role("link", name="Write a mail").click()
    form = page.locator("#write-mail")
    form.get_by_label("Text").select_option(label="Introducing myself")
    expect(form.locator("textarea")).to_contain_text("I am Ben")
    form.get_by_label("Subject").fill("Hello Mina")
    form.get_by_text("Preview", exact=True).click()
    expect(form.locator("input[name=scheme]:checked")).to_have_value("light")
    form.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Taken back. Nobody gets it.")).to_be_visible()
    with workspace_scope(cast.workspace.pk):
        assert OutboundEmail.objects.get().status == "canceled"


def test_a_call_is_logged_from_the_drawer(page: Page, cast: Any, text: MailText, sign_in: Any) -> None:
    sign_in(page, cast.ben.user)
    page.goto("/queue/")
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.locator("#drawer-content").get_by_role("link", name="Log a call").click()
    page.locator("#dialog-content textarea").fill("All is well")
    page.locator("#dialog-content").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Written down.")).to_be_visible()
    assert "/queue/" in page.url
