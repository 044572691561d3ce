"""Nothing that stands in a name, a text, a subject or an address ever becomes more than words in a mail."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from django.utils import timezone

from accounts.mail_texts.about import About
from accounts.mail_texts.placeholders import names_in, values_of
from accounts.queries.branding import Look
from accounts.registry import placeholders
from accounts.services.mail_rendering import render_words
from accounts.views.mail_frame import for_showing
from tests.accounts.texts.payloads import payloads
from tests.builders import make_account, make_contact

LOOK = Look("Acme", "#123456", "#ffffff", "#123456", "#aabbcc")
TAGS = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "table",
    "tr",
    "td",
    "div",
    "span",
    "p",
    "br",
    "a",
    "ul",
    "ol",
    "li",
    "strong",
    "em",
    "img",
}


class Inspector(HTMLParser):
    """Collects what a mail program could run."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.styles = 0

    def handle_starttag(self, tag, attrs):
        self.styles += tag == "style"
        if tag not in TAGS:
            self.wrong.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name in ("srcdoc", "formaction", "xlink:href"):
                self.wrong.append(name)
            if name in ("href", "src") and not (value or "").lower().startswith(
                ("http://", "https://", "mailto:", "tel:")
            ):
                self.wrong.append(f"{name}={value}")


def wrong_in(html: str) -> list[str]:
    inspector = Inspector()
    inspector.feed(html)
    return inspector.wrong + (["more styles"] if inspector.styles != 1 else [])


@pytest.fixture
def mail(scope):
    """`mail(words, value)`: the HTML of a mail in which each placeholder has the value."""
    contact = make_contact(make_account("Northwind", csm=scope.ben))

    def make(words, value=None):
        extra = {} if value is None else {p.name: value for p in placeholders}
        about = About(contact, scope.workspace, "en", timezone.now(), extra=extra)
        values = values_of(names_in(*words.values()), about)
        foot = {"unsubscribe_url": "https://a.example/", "preferences_url": ""}
        return render_words(
            words, values=values, workspace=scope.workspace, language="en", foot=foot, look=LOOK
        )

    return make


def all_placeholders() -> str:
    marks = " ".join(
        f"{{{{ {p.name} }}}} **{{{{ {p.name} }}}}** [x]({{{{ {p.name} }}}})" for p in placeholders
    )
    return f"{marks}\n\n- {marks}\n\n[button: {{{{ contact.name }}}}]({{{{ preferences.link }}}})"


def test_no_value_of_any_placeholder_becomes_more_than_words(mail):
    words = {"subject": "Hi {{ contact.name }} {{ account.name }}", "body": all_placeholders()}
    for payload in payloads()[::5]:
        made = mail(words, payload)
        assert wrong_in(made.html) == [], payload
        assert "\n" not in made.subject


def test_no_text_becomes_more_than_the_markup(mail):
    for payload in payloads():
        made = mail({"subject": payload, "body": f"{payload}\n\n- {payload}\n\n**{payload}**"})
        assert wrong_in(made.html) == [], payload
        assert wrong_in(for_showing(made.html, nonce="n", scheme="dark")) == [], payload


def test_there_are_five_hundred_different_ones():
    assert len(set(payloads())) == 500


@pytest.mark.soak
@pytest.mark.browser
def test_nothing_runs_in_a_browser_that_would_run_it(mail, chromium):
    """The mail as it is sent, in a page without any content security policy."""
    page = chromium.new_page()
    page.route("**/*", lambda route: route.abort())
    page.set_content("<script>window.top.xss=1</script>")
    assert page.evaluate("window.xss") == 1, "the test could not see a script run"
    words = {"subject": "Hi {{ contact.name }}", "body": all_placeholders()}
    ran = []
    for payload in payloads():
        hostile = {"subject": payload, "body": f"{payload}\n\n- {payload}"}
        for made in (mail(words, payload), mail(hostile)):
            page.evaluate("window.xss = 0")
            page.set_content(made.html, wait_until="commit")
            page.evaluate("document.querySelectorAll('a').forEach(a => /^https?:/.test(a.href) || a.click())")
            if page.evaluate("window.xss"):
                ran.append(payload)
    page.close()
    assert ran == []
