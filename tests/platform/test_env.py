"""Reading the environment: what is accepted, what is refused, and how clearly."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from cs_platform import env


def test_a_value_wins_over_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from the file\n")
    monkeypatch.setenv("THING_FILE", str(secret))
    assert env.optional("THING") == "from the file"
    monkeypatch.setenv("THING", " direct ")
    assert env.optional("THING") == "direct"


def test_an_unreadable_file_names_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("THING_FILE", str(tmp_path / "missing"))
    with pytest.raises(ImproperlyConfigured, match="THING_FILE cannot be read"):
        env.optional("THING")


def test_a_missing_value_says_why_it_is_needed() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"Set THING \(or THING_FILE\): for a reason"):
        env.required("THING", "for a reason")


@pytest.mark.parametrize(("word", "value"), [("1", True), ("Yes", True), ("off", False), ("FALSE", False)])
def test_words_for_true_and_false(monkeypatch: pytest.MonkeyPatch, word: str, value: bool) -> None:
    monkeypatch.setenv("THING", word)
    assert env.boolean("THING", default=not value) is value


@pytest.mark.parametrize("word", ["2", "maybe", "-"])
def test_other_words_are_refused_without_being_repeated(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("THING", word)
    with pytest.raises(ImproperlyConfigured, match=r"^THING must be true or false.$"):
        env.boolean("THING", default=False)


@pytest.mark.parametrize("word", ["many", "1.5", "0"])
def test_numbers_are_whole_and_large_enough(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("THING", word)
    with pytest.raises(ImproperlyConfigured, match=r"^THING must be"):
        env.integer("THING", 5, minimum=1)


def test_lists_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING", "a, b ,,c")
    assert env.listing("THING", []) == ["a", "b", "c"]


def test_database_url_with_escapes_port_and_option() -> None:
    found = env.database("postgres://us%40er:p%2Fw@db.example:6432/name?sslmode=require")
    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"]) == (
        "us@er",
        "p/w",
        "db.example",
        "6432",
    )
    assert (found["NAME"], found["OPTIONS"]) == ("name", {"sslmode": "require"})


def test_database_url_with_socket_folder() -> None:
    found = env.database("postgres://cs_owner@/cs_platform?host=/some/folder")
    assert (found["HOST"], found["OPTIONS"]) == ("/some/folder", {})


@pytest.mark.parametrize(
    "url",
    [
        "mysql://a@b/c",
        "postgres://host-only/db",
        "postgres://user@host",
        "postgres://u@h/d?options=-c%20role=x",
    ],
)
def test_database_urls_that_cannot_work_are_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL must"):
        env.database(url)


@pytest.mark.parametrize(
    ("url", "port", "ssl", "tls"),
    [
        ("smtp://mail.example", 587, False, True),
        ("smtps://mail.example", 465, True, False),
        ("smtp://mail.example:25?tls=0", 25, False, False),
    ],
)
def test_mail_servers(url: str, port: int, ssl: bool, tls: bool) -> None:
    found = env.email(url)
    assert (found["EMAIL_PORT"], found["EMAIL_USE_SSL"], found["EMAIL_USE_TLS"]) == (port, ssl, tls)


@pytest.mark.parametrize("url", ["http://mail.example", "smtp://", "mail"])
def test_other_mail_addresses_are_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^EMAIL_URL must"):
        env.email(url)
