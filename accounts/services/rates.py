"""Exchange rates of the workspace: set, taken away, brought in from a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import ExchangeRate, User
from accounts.services.audit import audit

PLACES = 9
LARGEST = Decimal(10**9)
MOST_ROWS = 20_000
COLUMNS = ("currency", "on_date", "rate")


@dataclass(frozen=True, slots=True)
class RateRow:
    currency: str
    on_date: date
    rate: Decimal


@dataclass(frozen=True, slots=True)
class RateCounts:
    added: int
    changed: int
    same: int


class RateFileError(ValueError):
    """The file was not taken; `problems` say why, line by line."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = list(problems)


def read_currency(text: str, report_currency: str) -> str:
    """Three letters of a currency other than the report currency. Raises ValueError in words."""
    code = text.strip().upper()
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        raise ValueError(
            gettext("“%(text)s” is no currency: give its three letters.") % {"text": text.strip()[:20]}
        )
    if code == report_currency:
        raise ValueError(gettext("%(code)s is the report currency; its rate is always 1.") % {"code": code})
    return code


def read_rate(text: str) -> Decimal:
    """A positive number with at most nine decimals. Raises ValueError in words."""
    try:
        rate = Decimal(text.strip())
    except InvalidOperation:
        rate = Decimal(0)
    if not rate.is_finite() or rate <= 0 or rate >= LARGEST:
        raise ValueError(
            gettext("“%(text)s” is no rate: give a number above 0, for example 1.0925.")
            % {"text": text.strip()[:30]}
        )
    if rate != round(rate, PLACES):
        raise ValueError(gettext("“%(text)s” has more than nine decimals.") % {"text": text.strip()[:30]})
    return rate


def read_rate_file(text: str, report_currency: str) -> list[RateRow]:
    """CSV with the columns currency, on_date (ISO), rate, in any order. Raises RateFileError with every bad line."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    header = [name.strip().lower() for name in next(reader, [])]
    if missing := [name for name in COLUMNS if name not in header]:
        raise RateFileError(
            [gettext("The first line lacks the column %(names)s.") % {"names": ", ".join(missing)}]
        )
    found: dict[tuple[str, date], RateRow] = {}
    problems = []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        values = dict(zip(header, cells, strict=False))
        try:
            row = _row(values, report_currency)
        except ValueError as error:
            problems.append(
                gettext("Line %(line)d: %(problem)s") % {"line": reader.line_num, "problem": error}
            )
            continue
        if (row.currency, row.on_date) in found:
            again = gettext("%(code)s has two rates for %(day)s.") % {
                "code": row.currency,
                "day": row.on_date.isoformat(),
            }
            problems.append(
                gettext("Line %(line)d: %(problem)s") % {"line": reader.line_num, "problem": again}
            )
        found[row.currency, row.on_date] = row
        if len(found) > MOST_ROWS:
            raise RateFileError([gettext("More than %(n)d lines; split the file.") % {"n": MOST_ROWS}])
    if not problems and not found:
        problems.append(gettext("The file has no rates."))
    if problems:
        raise RateFileError(problems)
    return list(found.values())


def _row(values: dict[str, str], report_currency: str) -> RateRow:
    currency = read_currency(values.get("currency", ""), report_currency)
    text = values.get("on_date", "").strip()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(
            gettext("“%(text)s” is no day: write it as 2026-03-31.") % {"text": text[:20]}
        ) from None
    return RateRow(currency, day, read_rate(values.get("rate", "")))


@transaction.atomic
def set_rates(*, rows: Sequence[RateRow], acting_user: User) -> RateCounts:
    """Write the rates; one of the same currency and day is replaced. All or nothing, one audit entry."""
    wanted = {(row.currency, row.on_date): row.rate for row in rows}
    present = {
        (row.currency, row.on_date): row
        for row in ExchangeRate.objects.select_for_update().filter(
            currency__in={row.currency for row in rows}
        )
        if (row.currency, row.on_date) in wanted
    }
    changed = [row for key, row in present.items() if row.rate != wanted[key]]
    for row in changed:
        row.rate = wanted[row.currency, row.on_date]
    ExchangeRate.objects.bulk_update(changed, ["rate"], batch_size=1000)
    fresh = [key for key in wanted if key not in present]
    ExchangeRate.objects.bulk_create(
        [ExchangeRate(currency=currency, on_date=day, rate=wanted[currency, day]) for currency, day in fresh],
        batch_size=1000,
    )
    counts = RateCounts(len(fresh), len(changed), len(present) - len(changed))
    audit(
        "accounts.exchange_rates.set",
        acting_user=acting_user,
        currencies=sorted({row.currency for row in rows}),
        added=counts.added,
        changed=counts.changed,
    )
    return counts


@transaction.atomic
def remove_rate(*, rate: ExchangeRate, acting_user: User) -> None:
    """Take one rate away; the one before it holds again."""
    audit(
        "accounts.exchange_rate.removed",
        acting_user=acting_user,
        currency=rate.currency,
        on_date=rate.on_date.isoformat(),
        rate=str(rate.rate),
    )
    rate.delete()
