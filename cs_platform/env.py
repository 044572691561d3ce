"""Typed reading of the environment.

Every value may also come from a file: `NAME_FILE=/run/secrets/name` is read when `NAME` is absent, so that
secrets need not stand in the process environment. A wrong value raises `ImproperlyConfigured` and says which
variable was wrong and what was expected, never what it contained.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})


def optional(name: str) -> str | None:
    """The value of `name`, or of the file `NAME_FILE` points to, or None when neither is set or both are empty."""
    if value := os.environ.get(name, "").strip():
        return value
    file_name = os.environ.get(f"{name}_FILE", "").strip()
    if not file_name:
        return None
    try:
        return Path(file_name).read_text(encoding="utf-8").strip() or None
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error.strerror}.") from error


def text(name: str, default: str) -> str:
    return optional(name) or default


def required(name: str, why: str) -> str:
    """The value of `name`; `why` completes the message when it is missing."""
    value = optional(name)
    if value is None:
        raise ImproperlyConfigured(f"Set {name} (or {name}_FILE): {why}")
    return value


def boolean(name: str, default: bool) -> bool:
    value = optional(name)
    if value is None:
        return default
    if value.lower() in TRUE_WORDS:
        return True
    if value.lower() in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false.")


def integer(name: str, default: int, *, minimum: int = 0) -> int:
    value = optional(name)
    if value is None:
        return default
    try:
        number = int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number.") from error
    if number < minimum:
        raise ImproperlyConfigured(f"{name} must be at least {minimum}.")
    return number


def listing(name: str, default: list[str]) -> list[str]:
    """Comma-separated values without the spaces around them."""
    value = optional(name)
    return default if value is None else [part.strip() for part in value.split(",") if part.strip()]


def database(url: str, *, variable: str = "DATABASE_URL") -> dict[str, Any]:
    """Django's connection settings from `postgres://user:password@host:port/name?option=value`.

    A socket folder is given as `?host=/folder`; every other query value becomes a libpq option.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(f"{variable} must start with postgres:// (no other database will do).")
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    name = unquote(parts.path.lstrip("/"))
    if not name or not parts.username:
        raise ImproperlyConfigured(f"{variable} must name a user and a database.")
    if "options" in options:
        raise ImproperlyConfigured(
            f"{variable} must not carry libpq options: the role is set by the settings."
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", "") or parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


# Providers whose API takes mails, and what django-anymail calls the credential of each.
MAIL_PROVIDERS = {
    "brevo": "API_KEY",
    "mailersend": "API_TOKEN",
    "mailgun": "API_KEY",
    "postmark": "SERVER_TOKEN",
    "resend": "API_KEY",
    "sparkpost": "API_KEY",
}


def email(url: str, *, variable: str = "EMAIL_URL") -> dict[str, Any]:
    """Django's mail settings from `smtp://user:password@host:587`, `smtps://…`, `file:/folder`, `console:`,
    or a provider's API: `postmark://TOKEN@`, `mailgun://KEY@mail.example.com`."""
    parts = urlsplit(url)
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if parts.scheme == "file":
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "EMAIL_FILE_PATH": parts.path,
        }
    if parts.scheme in MAIL_PROVIDERS and parts.username:
        name = parts.scheme.upper()
        options = {f"{name}_{MAIL_PROVIDERS[parts.scheme]}": unquote(parts.username)}
        if parts.hostname:
            options[f"{name}_SENDER_DOMAIN"] = parts.hostname
        return {"EMAIL_BACKEND": f"anymail.backends.{parts.scheme}.EmailBackend", "ANYMAIL": options}
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ImproperlyConfigured(
            f"{variable} must be smtp://, smtps://, file:, console: or a provider ({', '.join(MAIL_PROVIDERS)})"
            " like postmark://TOKEN@, with a host for SMTP."
        )
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp" and dict(parse_qsl(parts.query)).get("tls", "1") != "0",
        "EMAIL_TIMEOUT": 20,
    }
