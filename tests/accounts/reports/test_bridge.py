"""The MRR bridge reconciles to the cent, against a slow computation that never looks at movements."""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account, ExchangeRate, Subscription, SubscriptionChange
from accounts.queries.revenue import read_ledger
from accounts.revenue.bridge import bridges
from accounts.revenue.retention import Positions
from accounts.services.movements import rebuild_movements
from cs_platform.lib.periods import day_start, microseconds
from tests.accounts.reports.slow import FIELDS, Book, Term
from tests.builders import make_account

DAY0 = datetime(2025, 1, 1, tzinfo=UTC)
LAST = 130
CURRENCIES = ["USD", "EUR", "GBP"]


def at(day: int) -> datetime:
    return DAY0 + timedelta(days=day)


def subscribe(
    account: Account, number: str, start: int, end: int | None, terms: list[tuple[int, int, str]]
) -> list[Term]:
    row = Subscription.objects.create(
        account=account,
        external_id=f"{account.external_id}-{number}",
        currency=terms[0][2],
        started_at=at(start),
        ended_at=None if end is None else at(end),
    )
    SubscriptionChange.objects.bulk_create(
        SubscriptionChange(
            subscription=row, effective_at=at(day), known_at=at(day), mrr_minor=mrr, currency=currency
        )
        for day, mrr, currency in terms
    )
    found = []
    for (day, mrr, currency), following in zip(terms, [*terms[1:], None], strict=True):
        ends = [moment for moment in (following and following[0], end) if moment is not None]
        last = min(ends) if ends else None
        if last is None or last > day:
            found.append(Term(account.pk, currency, us(day), None if last is None else us(last), mrr))
    return found


def us(day: int) -> int:
    return microseconds(at(day))


TERM = st.tuples(st.integers(0, 60), st.integers(0, 90_000), st.sampled_from(CURRENCIES))
SUBSCRIPTION = st.tuples(
    st.integers(0, 90), st.none() | st.integers(0, 60), st.lists(TERM, min_size=1, max_size=4)
)
HISTORY = st.lists(st.lists(SUBSCRIPTION, min_size=1, max_size=3), min_size=1, max_size=4)
RATES = st.lists(
    st.tuples(st.sampled_from(CURRENCIES[1:]), st.integers(-5, 120), st.integers(1, 3_000_000_000)),
    max_size=6,
)


def write(history, drawn_rates) -> Book:
    Subscription.objects.all().delete()
    ExchangeRate.objects.all().delete()
    terms: list[Term] = []
    for number, subscriptions in enumerate(history):
        name = f"Drawn {number}"
        account = Account.objects.filter(name=name).first() or make_account(name)
        for at_place, (start, length, drawn) in enumerate(subscriptions):
            by_day = sorted({start + offset: (mrr, c) for offset, mrr, c in drawn}.items())
            own = [(start, *by_day[0][1]), *((d, *t) for d, t in by_day if d > start)]
            terms += subscribe(account, str(at_place), start, None if length is None else start + length, own)
    rebuild_movements(list(Account.objects.values_list("pk", flat=True)))
    rates = {(currency, day): value for currency, day, value in drawn_rates}
    for (currency, day), value in rates.items():
        ExchangeRate.objects.create(currency=currency, on_date=at(day).date(), rate=Decimal(value).scaleb(-9))
    book_rates: dict[str, list[tuple[int, Decimal]]] = {c: [] for c in CURRENCIES[1:]}
    for (currency, day), value in sorted(rates.items(), key=lambda item: item[0][1]):
        book_rates[currency].append((us(day), Decimal(value).scaleb(-9)))
    return Book(terms, {"USD": [(-(10**18), Decimal(1))], **book_rates})


@pytest.mark.usefixtures("scope")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HISTORY, RATES)
def test_the_bridge_reconciles_with_the_slow_one(cast, history, drawn_rates):
    check(cast, history, drawn_rates)


@pytest.mark.soak
@pytest.mark.usefixtures("scope")
@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HISTORY, RATES)
def test_the_bridge_reconciles_with_the_slow_one_many_times(cast, history, drawn_rates):
    check(cast, history, drawn_rates)


def check(cast, history, drawn_rates):
    book = write(history, drawn_rates)
    ledger = read_ledger(cast.workspace, now=at(LAST))
    months = [us(day) for day in (0, 31, 59, 90, 120, LAST)]
    found = bridges(ledger, months)
    for (start, end), bridge in zip(itertools.pairwise(months), found, strict=True):
        assert bridge.adds_up
        assert {name: getattr(bridge, name) for name in FIELDS} == book.bridge(start, end)
    positions = Positions(ledger, months)
    kept = positions.retention(1, 4)
    assert kept.grr is None or 0 <= kept.grr <= 1
    assert kept.logo_churn is None or 0 <= kept.logo_churn <= 1
    if all(any(i < months[1] for i, _ in book.rates[c]) for c in book.currencies):
        slow = book.retention(months[1], months[4])
        assert {name: getattr(kept, name) for name in slow} == slow
        assert kept.unpriced == 0


def test_one_currency_knows_no_effect_of_rates(cast, scope):
    account = make_account()
    subscribe(account, "1", 0, 40, [(0, 1000, "USD"), (10, 1500, "USD"), (20, 900, "USD")])
    subscribe(account, "2", 70, None, [(70, 700, "USD")])
    rebuild_movements([account.pk])
    ledger = read_ledger(cast.workspace, now=at(LAST))
    first, second, third = bridges(ledger, [us(0), us(31), us(59), us(90)])
    assert (first.opening, first.new, first.expansion, first.contraction, first.closing) == (
        0,
        1000,
        500,
        600,
        900,
    )
    assert (second.opening, second.churn, second.closing, second.customers_lost) == (900, 900, 0, 1)
    assert (third.new, third.reactivation, third.closing, third.customers_back) == (0, 700, 700, 1)
    assert [b.rates for b in (first, second, third)] == [0, 0, 0]


def test_the_rate_is_that_of_the_day_and_not_of_today(cast, scope):
    account = make_account()
    subscribe(account, "1", 0, None, [(0, 1000, "EUR"), (40, 2000, "EUR")])
    rebuild_movements([account.pk])
    for day, rate in ((-1, "1.10"), (35, "1.20"), (60, "9.00")):
        ExchangeRate.objects.create(currency="EUR", on_date=at(day).date(), rate=Decimal(rate))
    first, second = bridges(read_ledger(cast.workspace, now=at(LAST)), [us(0), us(31), us(59)])
    assert (first.new, first.closing) == (1100, 1100)
    assert (second.expansion, second.rates, second.closing) == (1200, 100, 2400)


def test_a_move_to_another_currency_is_neither_churn_nor_new(cast, scope):
    account = make_account()
    subscribe(account, "1", 0, None, [(0, 1000, "USD"), (35, 900, "EUR")])
    rebuild_movements([account.pk])
    ExchangeRate.objects.create(currency="EUR", on_date=at(-1).date(), rate=Decimal("1.2"))
    second = bridges(read_ledger(cast.workspace, now=at(LAST)), [us(0), us(31), us(59)])[1]
    assert (second.new, second.churn, second.expansion, second.customers_lost) == (0, 0, 80, 0)


def test_revenue_without_a_rate_is_counted_and_not_hidden(cast, scope):
    account = make_account()
    subscribe(account, "1", 0, None, [(0, 1000, "EUR")])
    rebuild_movements([account.pk])
    months = [us(0), us(31), us(59)]
    ledger = read_ledger(cast.workspace, now=at(LAST))
    positions = Positions(ledger, months)
    assert positions.unpriced_accounts().tolist() == [0, 1, 1]
    kept = positions.retention(1, 2)
    assert (kept.customers, kept.unpriced, kept.start, kept.nrr) == (1, 1, 0, None)


def test_a_first_rate_within_the_period_is_no_expansion(cast, scope):
    account = make_account()
    subscribe(account, "1", 0, None, [(0, 1000, "EUR")])
    rebuild_movements([account.pk])
    ExchangeRate.objects.create(currency="EUR", on_date=at(40).date(), rate=Decimal("1.2"))
    ledger = read_ledger(cast.workspace, now=at(LAST))
    kept = Positions(ledger, [us(31), us(59)]).retention(0, 1)
    assert (kept.start, kept.expansion, kept.nrr) == (1200, 0, 1.0)
    assert bridges(ledger, [us(31), us(59)])[0].rates == 1200


def test_a_day_of_the_workspace_begins_where_it_is():
    from zoneinfo import ZoneInfo

    seoul = ZoneInfo("Asia/Seoul")
    assert microseconds(day_start(at(0).date(), seoul)) == us(0) - 9 * 3_600_000_000
