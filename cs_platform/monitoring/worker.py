"""Noticing a Celery worker that is alive but takes no messages any more (seen after broker restarts)."""

import threading
import time

import redis
from kombu.exceptions import OperationalError

from cs_platform.celery import app

ASK_EVERY_SECONDS = 15.0
STUCK_SECONDS = 60.0


class WorkerWatch:
    """Asks one worker for a sign of life. No answer for 60 s while the broker answers means it is stuck.

    The question goes through the worker's consumer, so busy processes do not look like a stuck worker.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.last_answer = time.monotonic()
        self.next_question = time.monotonic() + ASK_EVERY_SECONDS
        self._asking: threading.Thread | None = None

    def restarted(self) -> None:
        self.last_answer = time.monotonic()

    def is_stuck(self) -> bool:
        """Ask again when it is time; True when the last answer is too old."""
        now = time.monotonic()
        if now >= self.next_question and (self._asking is None or not self._asking.is_alive()):
            self.next_question = now + ASK_EVERY_SECONDS
            self._asking = threading.Thread(target=self._ask, daemon=True)
            self._asking.start()
        if now - self.last_answer < STUCK_SECONDS:
            return False
        self.last_answer = now
        return True

    def _ask(self) -> None:
        try:
            answers = app.control.ping(destination=[self.name], timeout=5.0)
        except (OSError, redis.RedisError, OperationalError):
            # Without a broker there is nothing to take; the loop over the database does the work meanwhile.
            self.last_answer = time.monotonic()
            return
        if answers:
            self.last_answer = time.monotonic()
