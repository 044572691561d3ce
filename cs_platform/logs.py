"""Structured logs: one JSON object per line on standard error, without personal data.

No query strings, no bodies, no addresses of people. A URL is logged as its pattern (`s/<token>/`), never as the
path, for paths carry tokens. Exception messages are cut to their first line, with mail addresses and quoted values
masked, because an error quotes what it could not read, and a database error the row.
"""

import logging
import logging.config
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

_ADDRESS = re.compile(r"[^\s@'\"(<=]+@[^\s@'\")>]+\.[^\s@'\")>]+")
# What an error quotes is somebody's value, unless Postgres or Python names one of our own things.
_QUOTED = re.compile(
    r"""(?P<ours>\b(?:constraint|relation|column|table|index|function|type|policy|attribute|module(?:\ named)?)\s+)?
    (?:(?<!\w)'[^']*(?:'|$)|"[^"]*(?:"|$)|“[^”]*(?:”|$))""",
    re.VERBOSE,
)
_NOISY = ("django.request", "django.security")


def without_addresses(text: str) -> str:
    return _ADDRESS.sub("<address>", text)


def without_values(text: str) -> str:
    """The text of an error without addresses and without the values it quotes."""
    return without_addresses(_QUOTED.sub(lambda m: m[0] if m["ours"] else "<value>", text))


class WithoutPath(logging.Filter):
    """Django's request log names the path; keep its reason ("Not Found") only."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith(_NOISY):
            reason = record.args[0] if isinstance(record.args, tuple) and record.args else "refused"
            record.msg, record.args = str(reason), ()
        return True


def plain_exception(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace `exc_info` by the exception's type, first line and the places it passed through."""
    info = event.pop("exc_info", None)
    if info is True:  # structlog's `exception()`; written in the same thread, so it is still the one
        info = sys.exc_info()
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if not isinstance(info, tuple) or info[1] is None:
        return event
    kind, error, trace = info
    first_line = (str(error).splitlines() or [""])[0]
    event["error"] = f"{kind.__module__}.{kind.__qualname__}"
    event["error_message"] = without_values(first_line)[:300]
    event["at"] = [
        f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)[-12:]
    ]
    return event


def masked_event(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["event"] = without_addresses(str(event.get("event", "")))[:1000]
    return event


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def logging_config(*, level: str) -> dict[str, Any]:
    """The `LOGGING` dictionary: everything through one handler."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"without_path": {"()": WithoutPath}},
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*_SHARED, structlog.stdlib.ExtraAdder(allow=["task_id", "task_name"])],
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    plain_exception,
                    masked_event,
                    structlog.processors.JSONRenderer(),
                ],
            }
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["without_path"]}
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.request": {"level": "ERROR"},
            "django.server": {"level": "ERROR"},
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
        },
    }


def configure(config: dict[str, Any]) -> None:
    """Called by Django with `LOGGING`."""
    logging.config.dictConfig(config)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
