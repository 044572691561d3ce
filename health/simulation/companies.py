"""The customers: who they are, before anything happens to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from health.simulation import vocabulary as words
from health.simulation.lanes import CHANNELS, Lanes
from health.simulation.rhythm import COUNTRIES
from health.simulation.spec import SimulationSpec

# country: share among English-speaking accounts, time zone, hours from UTC in winter, billing currency
_COUNTRIES: dict[str, tuple[float, str, int, str]] = {
    "US": (0.50, "America/Chicago", -6, "USD"),
    "GB": (0.20, "Europe/London", 0, "GBP"),
    "DE": (0.15, "Europe/Berlin", 1, "EUR"),
    "CA": (0.08, "America/Toronto", -5, "USD"),
    "NL": (0.07, "Europe/Amsterdam", 1, "EUR"),
    "KR": (0.0, "Asia/Seoul", 9, "KRW"),
}


@dataclass(frozen=True, slots=True)
class SimulatedAccount:
    """A customer of the vendor. ``csm`` counts the vendor's CSMs from 0; None means nobody is assigned."""

    external_id: str
    name: str
    domain: str
    industry: str
    country: str
    time_zone: str
    utc_offset_hours: int
    currency: str
    language: str
    employees: int
    channel: str
    has_guided_setup: bool
    created_at: datetime
    csm: int | None


def _english_names(rng: np.random.Generator) -> Iterator[tuple[str, str]]:
    """Endless unique (stem, domain stem) pairs in random order."""
    while True:
        stem, ending = rng.choice(words.STEMS_EN), rng.choice(words.ENDINGS_EN)
        yield f"{stem}{ending}", f"{stem}{ending}".lower()


def _korean_names(rng: np.random.Generator) -> Iterator[tuple[str, str]]:
    while True:
        stem, ending = rng.choice(words.STEMS_KO), rng.choice(words.ENDINGS_KO)
        yield f"{stem[0]}{ending[0]}", f"{stem[1]}{ending[1]}"


class _Namer:
    """Hands out company names and domains, each once."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._sources = {"en": _english_names(rng), "ko": _korean_names(rng)}
        self._taken: set[str] = set()

    def next(self, language: str, industry: str) -> tuple[str, str]:
        """An unused (name, domain)."""
        tails_en, tails_ko = words.INDUSTRIES[industry]
        for attempt in range(1000):
            stem, slug = next(self._sources[language])
            if language == "ko":
                tail, tail_slug = tails_ko[self._rng.integers(len(tails_ko))]
                name = f"{stem}{tail}"
            else:
                tail = tails_en[self._rng.integers(len(tails_en))]
                name, tail_slug = f"{stem} {tail}", tail.lower()
            if attempt > 5:
                # Very large businesses use every combination up; a number keeps names apart then.
                number = len(self._taken)
                name, tail_slug = f"{name} {number}", f"{tail_slug}-{number}"
            domain = f"{slug}-{tail_slug}.example"
            if domain not in self._taken:
                self._taken.add(domain)
                return name, domain
        raise RuntimeError("no free company name left")


def _assign_csm(plan: int, spec: SimulationSpec, rng: np.random.Generator) -> int | None:
    """The two senior CSMs carry business and enterprise plans, the rest the small ones; a few have nobody."""
    if spec.csms == 0 or rng.random() < 0.03:
        return None
    senior = max(1, spec.csms // 3)
    if plan >= 2:
        return int(rng.integers(senior))
    return int(rng.integers(senior, spec.csms)) if spec.csms > senior else int(rng.integers(spec.csms))


def make_accounts(
    lanes: Lanes, spec: SimulationSpec, rng: np.random.Generator
) -> tuple[SimulatedAccount, ...]:
    """One account per lane, in lane order."""
    languages = list(spec.language_mix)
    shares = np.array([spec.language_mix[language] for language in languages], dtype=float)
    language_of = rng.choice(languages, size=lanes.size, p=shares / shares.sum())
    country_shares = np.array([_COUNTRIES[country][0] for country in COUNTRIES])
    country_of = rng.choice(COUNTRIES, size=lanes.size, p=country_shares / country_shares.sum())
    industry_of = rng.choice(list(words.INDUSTRIES), size=lanes.size)
    namer = _Namer(rng)
    accounts = []
    for lane in range(lanes.size):
        language, industry = str(language_of[lane]), str(industry_of[lane])
        country = "KR" if language == "ko" else str(country_of[lane])
        _, time_zone, offset, currency = _COUNTRIES[country]
        name, domain = namer.next(language, industry)
        seats = int(lanes.seats[lane])
        accounts.append(
            SimulatedAccount(
                external_id=f"acc-{spec.seed}-{lane + 1:05d}",
                name=name,
                domain=domain,
                industry=industry,
                country=country,
                time_zone=time_zone,
                utc_offset_hours=offset,
                currency=currency,
                language=language,
                employees=int(seats * rng.uniform(3, 14)),
                channel=CHANNELS[int(lanes.channel[lane])],
                has_guided_setup=bool(lanes.guided[lane]),
                created_at=spec.moment(int(lanes.first_day[lane]), (9 - offset) * 3600),
                csm=_assign_csm(int(lanes.plan[lane]), spec, rng),
            )
        )
    return tuple(accounts)
