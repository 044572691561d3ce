"""When a wait is over."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from health.sequences.timing import after_wait

SEOUL, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("America/New_York")


def test_days_keep_the_local_time_over_a_change_of_clocks():
    begin = datetime(2026, 10, 30, 13, 0, tzinfo=UTC)  # 09:00 in New York, summer time
    ends = after_wait(begin, 3, "days", zone=NEW_YORK)
    assert ends == datetime(2026, 11, 2, 14, 0, tzinfo=UTC)
    assert ends.astimezone(NEW_YORK).hour == 9


def test_working_days_skip_weekends_and_holidays():
    friday = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
    monday_off = {date(2026, 11, 23)}
    ends = after_wait(
        friday, 1, "working_days", zone=SEOUL, is_off=lambda day: day.weekday() >= 5 or day in monday_off
    )
    assert ends.astimezone(SEOUL).date() == date(2026, 11, 24)


def test_hours_are_hours():
    begin = datetime(2026, 11, 1, 5, 0, tzinfo=UTC)
    assert (after_wait(begin, 2, "hours", zone=NEW_YORK) - begin).total_seconds() == 7200
