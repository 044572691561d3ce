"""Dates as files write them: ISO, day first, month first, or a pattern of one's own."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from accounts.imports.problems import FileProblem, RowProblem, shown

FIRST_YEAR, LAST_YEAR = 1970, 2199
NAMED_FORMATS = ("iso", "day-first", "month-first")

_TIME = r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?"
_NUMBERS = re.compile(rf"(\d{{1,2}})[-/. ](\d{{1,2}})[-/. ](\d{{4}}){_TIME}")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?\s?(Z|[+-]\d{2}:?\d{2})?)?")


class DateReader:
    """Turns cells into aware UTC datetimes; a date without a zone is local to the workspace.

    A cell that starts with a four-digit year is read as ISO also under day-first and month-first,
    because it cannot mean anything else.
    """

    def __init__(self, date_format: str, zone: ZoneInfo) -> None:
        if date_format not in NAMED_FORMATS and "%" not in date_format:
            raise FileProblem("bad_date_format", value=date_format, example="%d.%m.%Y")
        self.date_format = date_format
        self.zone = zone
        # Files repeat the same few hundred days, and a zone look-up costs more than a dictionary's.
        self._seen: dict[str, datetime] = {}

    def read(self, text: str) -> datetime:
        """The instant, in UTC. Raises RowProblem."""
        known = self._seen.get(text)
        if known is None:
            known = self._in_range(self._parse(text), text)
            if len(self._seen) < 100_000:
                self._seen[text] = known
        return known

    def fits(self, text: str) -> bool:
        """Whether the cell is a date in this format."""
        try:
            self.read(text)
        except RowProblem:
            return False
        return True

    def _parse(self, text: str) -> datetime:
        try:
            if self.date_format in NAMED_FORMATS:
                return self._iso(text) if text[:4].isdigit() else self._numbers(text)
            return datetime.strptime(text, self.date_format)  # noqa: DTZ007 - the zone is added by the caller
        except ValueError as error:
            raise RowProblem(
                "not_a_date", params={"value": shown(text), "format": self.date_format}
            ) from error

    def _iso(self, text: str) -> datetime:
        if not _ISO.fullmatch(text):
            raise ValueError(text)
        return datetime.fromisoformat(text.replace(",", ".").replace(" Z", "Z"))

    def _numbers(self, text: str) -> datetime:
        match = _NUMBERS.fullmatch(text)
        if match is None or self.date_format == "iso":
            raise ValueError(text)
        first, second, year = int(match[1]), int(match[2]), int(match[3])
        day, month = (first, second) if self.date_format == "day-first" else (second, first)
        return datetime(year, month, day, int(match[4] or 0), int(match[5] or 0), int(match[6] or 0))  # noqa: DTZ001

    def _in_range(self, moment: datetime, text: str) -> datetime:
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise RowProblem(
                "date_out_of_range", params={"value": shown(text), "first": FIRST_YEAR, "last": LAST_YEAR}
            )
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.zone)
        return moment.astimezone(UTC)
