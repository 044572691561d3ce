"""Who has asked a lot lets others go first: within one web process, requests share one processor core.

A key that has used up a quarter of what it may ask at once waits until this process has nothing else to answer, for a quarter
of a second at most. So a program that reads everything hardly slows down the people and programs beside it, and a
process with nobody else in it serves it at once.
"""

from __future__ import annotations

import threading
from typing import Any

from django.core.signals import request_finished, request_started

LONGEST_WAIT = 0.25
MOST_WAITING = 3  # of the threads of a process, so that others find one


class InFlight:
    """Counts the requests that this process is answering; those that let others go first are not among them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._answering = 0
        self._waiting = 0

    def began(self, **_: Any) -> None:
        with self._changed:
            self._answering += 1

    def ended(self, **_: Any) -> None:
        with self._changed:
            self._answering = max(0, self._answering - 1)
            self._changed.notify()

    def let_others_go_first(self, longest: float = LONGEST_WAIT) -> None:
        """Call it within a request that has begun: returns as soon as it is the only one, or after `longest` s."""
        with self._changed:
            if self._waiting >= MOST_WAITING:
                return
            self._answering, self._waiting = self._answering - 1, self._waiting + 1
            self._changed.wait_for(lambda: self._answering <= 0, timeout=longest)
            self._answering, self._waiting = max(0, self._answering) + 1, self._waiting - 1


in_flight = InFlight()


def register() -> None:
    request_started.connect(in_flight.began, dispatch_uid="accounts.api.in_flight")
    request_finished.connect(in_flight.ended, dispatch_uid="accounts.api.in_flight")
