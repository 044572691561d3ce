"""Composition root: settings, URLs, Celery, schedule and the embedded servers."""
