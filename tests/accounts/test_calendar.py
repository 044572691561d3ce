"""Working days and holidays: typed as lines, believed by whoever asks."""

from datetime import date

from accounts.models import Holiday, Workspace
from accounts.queries.holidays import calendar
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.web import web
from tests.builders import TODAY

CHRISTMAS = date(2026, 12, 25)


def save(cast, lines, days=("0", "1", "2", "3", "6")):
    return web(cast.ada).post("/settings/calendar/", {"working_days": days, "holidays": lines})


def test_a_list_of_lines_becomes_the_calendar(cast):
    assert save(cast, "2026-12-25 Christmas Day\n\n2026-12-31").status_code == 302
    with workspace_scope(cast.workspace.pk):
        found = calendar(TODAY)
        assert found.is_holiday(CHRISTMAS) and not found.is_holiday(date(2026, 12, 24))
        assert found.is_weekend(date(2026, 11, 20)) and not found.is_weekend(date(2026, 11, 22))
        assert found.is_off(CHRISTMAS)
    assert "Christmas Day" in web(cast.ada).get("/settings/calendar/").content.decode()
    save(cast, "2026-12-31")
    with workspace_scope(cast.workspace.pk):
        assert list(Holiday.objects.values_list("day", flat=True)) == [date(2026, 12, 31)]


def test_a_line_without_a_date_is_named_and_nothing_is_lost(cast):
    save(cast, "2026-12-25 Christmas Day")
    answer = save(cast, "2026-12-25 Christmas Day\n2026-02-30 no such day")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Line 2" in page and "no such day" in page
    with workspace_scope(cast.workspace.pk):
        assert Holiday.objects.count() == 1


def test_a_week_without_working_days_is_refused(cast):
    assert save(cast, "", days=()).status_code == 422
    assert Workspace.objects.get(slug="acme").working_days == [0, 1, 2, 3, 4]
