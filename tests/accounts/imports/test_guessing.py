"""Guesses about columns, dates and encodings, and the example files."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.imports import specs
from accounts.imports.encodings import guess_encoding
from accounts.imports.guessing import date_examples, guess_columns, is_ambiguous
from accounts.imports.sample_files import sample_rows
from accounts.registry import import_kinds
from cs_platform.lib.csv_text import csv_text
from tests.accounts.imports.files import Importer, counts
from tests.accounts.web import web
from tests.conftest import Cast

BERLIN = ZoneInfo("Europe/Berlin")


def targets(spec: object, **samples: list[str]) -> dict[str, str]:
    return {g.column: g.target for g in guess_columns(spec, list(samples), samples)}  # type: ignore[arg-type]


def test_names_win_over_other_names_and_values_over_nothing() -> None:
    found = targets(specs.ACCOUNTS, company=["Alder"], Name=["Alder AG"], id=["1"], note=["x"])
    assert found == {"company": "", "Name": "name", "id": "external_id", "note": ""}
    assert targets(specs.CONTACTS, account=["a"], reach=["m@x.example"])["reach"] == "email"


def test_a_name_alone_is_not_enough_where_the_values_do_not_fit() -> None:
    assert targets(specs.SUBSCRIPTIONS, amount=["high", "low"])["amount"] == ""
    assert targets(specs.SUBSCRIPTIONS, amount=["12.50", "oops"])["amount"] == "mrr"


def test_korean_headers() -> None:
    assert targets(specs.ACCOUNTS, 회사명=["한빛"], 가입일=["2025.1.1"]) == {
        "회사명": "name",
        "가입일": "created_at",
    }


@pytest.mark.parametrize(
    ("values", "best"),
    [
        (["2025-03-04"], "iso"),
        (["25/04/2025", "03/04/2025"], "day-first"),
        (["04/25/2025", "03/04/2025"], "month-first"),
        (["2025/03/04"], "%Y/%m/%d"),
        (["20250304"], "%Y%m%d"),
        (["04.03.2025"], "day-first"),
    ],
)
def test_the_format_of_dates_is_found(values: list[str], best: str) -> None:
    assert date_examples(values, BERLIN)[0].date_format == best


def test_what_can_be_read_in_two_ways_is_said_and_shown() -> None:
    found = date_examples(["03/03/2025", "03/04/2025"], BERLIN)
    assert is_ambiguous(found)
    assert {example.text for example in found} == {"03/04/2025"}
    assert not is_ambiguous(date_examples(["25/04/2025", "03/04/2025"], BERLIN))
    assert date_examples(["soon"], BERLIN) == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("name\nMüller\n".encode(), "utf-8"),
        ("name\nMüller\n".encode("cp1252"), "cp1252"),
        ("이름\n한빛\n".encode("cp949"), "cp949"),
        ("name\nŁódź\n".encode("utf-16"), "utf-16"),
        (b"x" * ((1 << 20) - 1) + "ü".encode(), "utf-8"),
        (b"", "utf-8"),
    ],
)
def test_encodings(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(content)
    assert guess_encoding(path) == expected


@pytest.mark.django_db
def test_the_example_files_fit_together(bring: Importer) -> None:
    order = ("accounts", "contacts", "subscriptions", "invoices", "tickets", "cancellations", "events")
    assert set(order) == set(import_kinds.names())
    for kind in order:
        headers, rows = sample_rows(import_kinds.get(kind).spec)
        created, _updated, _unchanged, rejected = counts(bring(kind, csv_text(headers, rows)))
        assert rejected == 0 and created == len(rows), kind


@pytest.mark.django_db
def test_a_file_over_the_limit_is_refused_in_words_and_not_kept(cast: Cast, settings: object) -> None:
    settings.IMPORT_MEGABYTES = 1  # type: ignore[attr-defined]
    for size in (1_100_000, 3_500_000):
        file = SimpleUploadedFile("big.csv", b"name\n" + b"x\n" * (size // 2), "text/csv")
        answer = web(cast.ada).post("/settings/imports/new/", {"kind": "accounts", "file": file})
        assert answer.status_code == 422
        assert "larger than 1 MB" in answer.content.decode()
        assert "required" not in "".join(answer.context["form"].errors.get("file", []))


@pytest.mark.django_db
def test_a_stranger_cannot_leave_a_file_here(client: object) -> None:
    file = SimpleUploadedFile("big.csv", b"name\nx\n", "text/csv")
    response = client.post("/settings/imports/new/", {"kind": "accounts", "file": file})  # type: ignore[attr-defined]
    assert response.status_code == 302
    assert not response.wsgi_request.FILES
