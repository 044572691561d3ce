"""Dates, words, numbers and the types of columns."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.imports.columns import ColumnKind, as_json, as_trait
from accounts.imports.converters import read_decimal
from accounts.imports.dates import DateReader
from accounts.imports.problems import FileProblem, RowProblem
from accounts.imports.vocabulary import read_interval, read_language, read_reason
from tests.accounts.imports.files import utc

UTC_ZONE = ZoneInfo("UTC")
ISO = DateReader("iso", UTC_ZONE)


@pytest.mark.parametrize(
    ("date_format", "text", "expected"),
    [
        ("iso", "2024-10-16", utc(2024, 10, 16)),
        ("iso", "2024-10-16 03:30", utc(2024, 10, 16, 3, 30)),
        ("iso", "2024-10-16T03:30:00Z", utc(2024, 10, 16, 3, 30)),
        ("iso", "2024-10-16T03:30:00.250+02:00", utc(2024, 10, 16, 1, 30).replace(microsecond=250_000)),
        ("day-first", "03-04-2024", utc(2024, 4, 3)),
        ("day-first", "28/07/2023 03:00", utc(2023, 7, 28, 3)),
        ("day-first", "2024-04-03", utc(2024, 4, 3)),
        ("month-first", "03/04/2024", utc(2024, 3, 4)),
        ("%d.%m.%y %H:%M", "28.07.23 03:00", utc(2023, 7, 28, 3)),
    ],
)
def test_dates_are_read_in_the_given_format(date_format, text, expected):
    assert DateReader(date_format, UTC_ZONE).read(text) == expected


def test_a_date_without_a_zone_is_local():
    assert DateReader("iso", ZoneInfo("Asia/Seoul")).read("2024-01-02") == utc(2024, 1, 1, 15)


@pytest.mark.parametrize(
    "text", ["03-04-2024", "2024-02-30", "0001-01-01", "2024", "yesterday", "9999-12-31"]
)
def test_what_is_no_date_is_refused(text):
    with pytest.raises(RowProblem):
        ISO.read(text)


def test_an_unknown_format_is_a_problem_of_the_whole_file():
    with pytest.raises(FileProblem) as caught:
        DateReader("european", UTC_ZONE)
    assert caught.value.code == "bad_date_format"


@pytest.mark.parametrize(
    ("text", "interval", "months", "is_exact"),
    [
        ("monthly", "month", None, True),
        ("annual", "year", None, True),
        ("Quarterly", "quarter", None, True),
        ("Month-to-month", "month", None, False),
        ("One year", "year", None, False),
        ("Two year", "year", 24, False),
        ("6 months", "quarter", 6, False),
    ],
)
def test_billing_intervals_and_contract_terms(text, interval, months, is_exact):
    found = read_interval(text)
    assert found
    assert (found.value.billing_interval, found.value.term_months, found.is_exact) == (
        interval,
        months,
        is_exact,
    )


def test_words_for_reasons_become_one_of_eight():
    assert read_reason("too_expensive").is_exact
    assert [read_reason(w).value for w in ("Pricing", "competitor", "support", "moved away")] == [
        "too_expensive",
        "switched_service",
        "customer_service",
        "other",
    ]
    assert not read_reason("Pricing").is_exact


def test_languages_we_do_not_speak_are_none():
    korean = read_language("ko-KR")
    assert korean
    assert (korean.value, read_language("de")) == ("ko", None)


@pytest.mark.parametrize(("text", "value"), [("29.85", "29.85"), ("1,234.50", "1234.50"), ("-3", "-3")])
def test_numbers(text, value):
    assert str(read_decimal(text)) == value


@pytest.mark.parametrize("text", ["29,85", "1.234,50", "1,234", "$5", "NaN", "1_000", "inf"])
def test_ambiguous_numbers_are_refused(text):
    with pytest.raises(RowProblem):
        read_decimal(text)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2.5", "", None], "number"),
        (["1", "2", "n/a"], "text"),
        (["Yes", "No", "yes"], "boolean"),
        (["Yes", "No", "No phone service"], "text"),
        (["2024-01-02", "2024-02-03"], "date"),
        (["007", "012"], "text"),
        (["12345678901234567890"], "text"),
        ([True, False], "boolean"),
        ([], "empty"),
        (["", "NULL", "NaN"], "empty"),
    ],
)
def test_the_type_of_a_column_is_that_of_all_its_values(values, kind):
    column = ColumnKind()
    for value in values:
        column.see(value, ISO)
    assert column.kind == kind


def test_traits_keep_text_and_number():
    assert as_trait("Yes", "boolean", ISO) == ("Yes", 1.0)
    assert as_trait("1970-01-03", "date", ISO) == ("1970-01-03", 2.0)
    assert as_trait(" ", "number", ISO) is None
    assert as_trait({"b": 1, "a": 2}, "text", ISO) == ('{"a": 2, "b": 1}', None)


@given(
    st.floats(allow_nan=False, allow_infinity=False, width=32) | st.integers(-(10**9), 10**9) | st.booleans()
)
def test_json_values_survive_as_properties(value):
    column = ColumnKind()
    column.see(value, ISO)
    if column.kind in {"number", "boolean"}:
        assert as_json(value, column.kind, ISO) == value
