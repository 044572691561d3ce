"""A signed-in browser without a screen."""

from __future__ import annotations

from typing import Any

from django.test import Client


def web(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client
