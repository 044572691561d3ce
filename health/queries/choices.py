"""Choices of a filter, in the form the chip menu reads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice with the number of accounts behind it."""

    value: str
    label: str
    active: bool
    count: int
