"""Ids in, one service call. The schedule calls these; each only looks for what is due."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from health.services.nights import start_due_nights
from health.services.partitions import ensure_partitions
from health.services.training_runs import request_due_trainings


@shared_task(name="health.start_due_nights")
def start_nights() -> int:
    return start_due_nights(timezone.now())


@shared_task(name="health.request_due_trainings")
def request_trainings() -> int:
    return request_due_trainings(timezone.now())


@shared_task(name="health.keep_partitions")
def keep_partitions() -> int:
    return len(ensure_partitions(today=timezone.now().date()))


@shared_task(name="health.continue_demo")
def continue_demo() -> int:
    from health.services.demo import continue_demo as tell_on  # loads numpy

    return tell_on(now=timezone.now())
