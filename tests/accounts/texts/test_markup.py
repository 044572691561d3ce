"""What a text becomes, as HTML and as plain text, and which mistakes are named."""

import pytest

from accounts.mail_texts.as_html import as_html
from accounts.mail_texts.as_text import as_text
from accounts.mail_texts.checks import mistakes_in, text_mistakes, tidy
from accounts.mail_texts.markup import read
from accounts.mail_texts.placeholders import fill_line

VALUES = {
    "contact.first_name": "Mina",
    "account.name": "North & Wind",
    "preferences.link": "https://a.example/p",
}


def html(text, values=VALUES):
    return as_html(read(text), values, colour="#123456", on_colour="#ffffff", link="#123456")


def text(source, values=VALUES):
    return as_text(read(source), values)


def body_mistakes(body):
    return text_mistakes("Hello", body, purpose="personal")["body"]


def test_the_markup_as_plain_text():
    source = (
        "Hi {{ contact.first_name }},\nhow are **you**?\n\n- one\n- two\n\n3. three\n4. four\n\n"
        "[button: See it](https://a.example/x)\n\nWrite to [us](mailto:a@b.example) or https://a.example/y."
    )
    assert text(source) == (
        "Hi Mina,\nhow are you?\n\n- one\n- two\n\n3. three\n4. four\n\n"
        "See it:\nhttps://a.example/x\n\nWrite to us (a@b.example) or https://a.example/y."
    )


def test_the_markup_as_html():
    made = html(
        "Hi **{{ account.name }}**\n\n[button: Choose]({{ preferences.link }})\n\nhttps://a.example/y."
    )
    assert "<strong>North &amp; Wind</strong>" in made
    assert 'href="https://a.example/p"' in made
    assert "button" not in made
    assert ">Choose</a></td>" in made
    assert 'href="https://a.example/y"' in made


def test_values_are_words_never_markup():
    hostile = {"account.name": "**[x](https://evil.example)** <b>", "contact.first_name": "{{ csm.name }}"}
    made = html("{{ account.name }} {{ contact.first_name }}", hostile)
    assert "<a " not in made
    assert "<b>" not in made
    assert "**[x](https://evil.example)** &lt;b&gt; {{ csm.name }}" in made
    assert text("{{ account.name }}", hostile) == hostile["account.name"]


def test_a_missing_value_has_its_fallback():
    assert text("Hi {{ contact.first_name|friend }}", {}) == "Hi friend"
    assert text("Hi {{ contact.first_name }}", {}) == "Hi there"
    assert fill_line("{{ contact.first_name|you }}", VALUES) == "Mina"


def test_a_subject_stays_one_line():
    assert fill_line("{{ account.name }}", {"account.name": "a\r\nBcc: x@y.example"}) == "a Bcc: x@y.example"


@pytest.mark.parametrize(
    ("body", "place", "words"),
    [
        ("Hi\n{{ contact.nmae }}", "Line 2, character 1", "is no placeholder"),
        ("Hi {{ contact.name", "Line 1, character 4", "never closed"),
        ("Hi }} there", "Line 1, character 4", "closes nothing"),
        ("On {{ renewal.date }}", "Line 1, character 4", "may be missing"),
        ("{{ contact.name.upper() }}", "Line 1, character 1", "is no placeholder"),
        ("{{ contact.__class__ }}", "Line 1, character 1", "is no placeholder"),
        ("a [x](javascript:alert(1))", "Line 1, character 7", "is no address for a mail"),
        ("a [x](//a.example)", "Line 1, character 7", "is no address"),
        ("a [x](https://a.example/{{ account.name }})", "Line 1, character 7", "is no whole address"),
        ("a [x]({{ account.name }})", "Line 1, character 7", "is no whole address"),
        ("a [x]()", "Line 1, character 5", "has no address"),
    ],
)
def test_mistakes_are_named_with_their_place(body, place, words):
    [mistake] = body_mistakes(body)
    assert mistake.startswith(place)
    assert words in mistake


def test_a_good_text_has_no_mistakes():
    assert (
        body_mistakes(
            "Hi {{ contact.first_name }}, on {{renewal.date|soon}} {% x %} { } [a](https://a.example)"
        )
        == []
    )
    definition = tidy(
        {"en": {"subject": "A", "body": "B"}, "ko": {"subject": "", "body": " "}, "xx": {"subject": "C"}}
    )
    assert definition == {"en": {"subject": "A", "body": "B"}}
    assert mistakes_in(definition, purpose="personal") == []


def test_nothing_written_is_a_mistake():
    assert mistakes_in({}, purpose="personal")
    assert [m.field for m in mistakes_in({"en": {"subject": "", "body": ""}}, purpose="personal")] == [
        "subject",
        "body",
    ]
