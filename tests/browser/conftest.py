"""Fixtures of the browser tests: the system's Chromium against a live server.

A page fails its test when the console shows an error, a script throws, or the content security policy is violated.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.stack import REPOSITORY

PICTURES = REPOSITORY / "test-artifacts"


class Complaints:
    """What the browser had to object to."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.expected: list[str] = []

    def expect(self, part: str) -> None:
        """Let a complaint pass that the test provokes on purpose."""
        self.expected.append(part)

    def listen(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.found.append(f"script: {error}"))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.found.append(f"console: {message.text}")

    def unexpected(self) -> list[str]:
        return [text for text in self.found if not any(part in text for part in self.expected)]


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def new_context(chromium: Browser, live_server: Any) -> Iterator[Callable[..., BrowserContext]]:
    """Makes contexts (own cookies, language, size) against the live server; closes them after the test."""
    contexts: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        defaults: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}, "locale": "en-US"}
        context = chromium.new_context(base_url=live_server.url, **(defaults | options))
        context.set_default_timeout(10_000)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_context: Callable[..., BrowserContext], complaints: Complaints, request: Any) -> Iterator[Page]:
    """A page of nobody in particular; see `sign_in`. A picture is kept when the test fails."""
    page = new_context().new_page()
    complaints.listen(page)
    failures = request.session.testsfailed
    yield page
    if request.session.testsfailed > failures:
        PICTURES.mkdir(exist_ok=True)
        page.screenshot(path=PICTURES / f"{request.node.name[:80]}.png", full_page=True)
    assert complaints.unexpected() == []


@pytest.fixture
def phone(new_context: Callable[..., BrowserContext], complaints: Complaints) -> Iterator[Page]:
    """A page 390 px wide, touched by a finger."""
    size = {"width": 390, "height": 844}
    page = new_context(viewport=size, has_touch=True, is_mobile=True, device_scale_factor=2).new_page()
    complaints.listen(page)
    yield page
    assert complaints.unexpected() == []


@pytest.fixture
def sign_in(live_server: Any) -> Callable[[Page, Any], None]:
    """`sign_in(page, user)`: the session cookie without the login form."""

    def put_cookie(page: Page, user: Any) -> None:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url, "httpOnly": True}]
        )

    return put_cookie
