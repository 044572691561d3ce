"""All settings, in one file, from the environment (see `cs_platform/env.py` for the reading rules).

Without `DATABASE_URL` and `REDIS_URL` the embedded servers of `var/` are used, and keys are generated there.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from cs_platform import env, secrets
from cs_platform.embedded import paths
from cs_platform.logs import logging_config
from cs_platform.schedule import SCHEDULE

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = paths.current()

# How this process came up: "web" is the threaded server, "worker" prefork, "command" everything else.
PROCESS = env.text("CS_PROCESS", "command")
TESTING = env.boolean("CS_TESTING", default=False)
DEBUG = env.boolean("DEBUG", default=False)

# --- Secrets -----------------------------------------------------------------------------------------------------
EMBEDDED_DATABASE = env.optional("DATABASE_URL") is None
_WHY = "it is generated only for the embedded database; every process and machine must have the same one."


def _secret(name: str) -> str:
    if EMBEDDED_DATABASE and env.optional(name) is None:
        return secrets.stored(VAR.secrets, name.lower())
    return env.required(name, _WHY)


SECRET_KEY = _secret("SECRET_KEY")
FIELD_ENCRYPTION_KEY = _secret("FIELD_ENCRYPTION_KEY")
# Bearer token of /metrics; without one the page does not exist.
METRICS_TOKEN = (
    secrets.stored(VAR.secrets, "metrics_token") if EMBEDDED_DATABASE else env.optional("METRICS_TOKEN")
)

# --- Address -----------------------------------------------------------------------------------------------------
BASE_URL = env.text("BASE_URL", f"http://127.0.0.1:{env.integer('PORT', 8000)}").rstrip("/")
HTTPS = BASE_URL.startswith("https://")
ALLOWED_HOSTS = env.listing(
    "ALLOWED_HOSTS", [urlsplit(BASE_URL).hostname or "", "127.0.0.1", "localhost", "[::1]"]
)
CSRF_TRUSTED_ORIGINS = [BASE_URL]
STRIPE_API_BASE = env.text("STRIPE_API_BASE", "https://api.stripe.com")
SENTRY_DSN = env.optional("SENTRY_DSN")
# Internal receivers of webhooks ("host:port"); everything else outgoing must lead to the public internet.
OUTGOING_ALLOWED_HOSTS = env.listing("OUTGOING_ALLOWED_HOSTS", [])
# Who may make another workspace in the browser: owners (of one that is there), anyone (signed in) or nobody.
NEW_WORKSPACES = env.text("NEW_WORKSPACES", "owners")
# Events per second and workspace that one web process takes before it answers 429.
INTAKE_EVENTS_PER_SECOND = env.integer("INTAKE_EVENTS_PER_SECOND", 20_000, minimum=1)
# Requests per minute of one API key, counted in the database for all web processes together.
API_REQUESTS_PER_MINUTE = env.integer("API_REQUESTS_PER_MINUTE", 600, minimum=1)

# --- Applications ------------------------------------------------------------------------------------------------
# Lowest last: an import points to the right only. Removing a motion leaves the rest running.
PRODUCT_APPS = ["onboarding", "dunning", "winback", "feedback", "health", "accounts"]
INSTALLED_APPS = [
    "cs_platform.apps.PlatformConfig",
    *PRODUCT_APPS,
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "csp",
    "django_filters",
    "django_htmx",
    "template_partials",
    # What an installation adds: a sign-in provider of allauth, a mail backend, an app of its own.
    *env.listing("EXTRA_APPS", []),
]
MIDDLEWARE = [
    "cs_platform.monitoring.middleware.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.KeepVouchedSessionsInside",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "cs_platform.urls"
WSGI_APPLICATION = "cs_platform.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "accounts.context.frame",
            ]
        },
    }
]

# --- Database ----------------------------------------------------------------------------------------------------
# `default` logs in as the owner and runs as the application role, which row-level security binds and which may not
# change the schema. `owner` is the same database without that role: migrations, partition upkeep, test flush.
DATABASE_APP_ROLE = env.text("DATABASE_APP_ROLE", "cs_app")
TASK_SECONDS = env.integer("TASK_SECONDS", 1800, minimum=10)  # the longest a worker's task may take
# A transaction that stands idle longer is ended by the database, so that what its process locked is free again when
# that process hangs, or its machine is gone without a word. A page thinks for a moment, a stage of the night for
# seconds; training says so itself (cs_platform/lib/patience.py); at a command somebody may sit.
IDLE_SECONDS = {"web": 60, "worker": 300}.get(PROCESS, TASK_SECONDS)


def _databases() -> dict[str, dict[str, Any]]:
    url = env.optional("DATABASE_URL") or paths.database_url(VAR.postgres_sockets)
    owner = env.database(url) | {"CONN_HEALTH_CHECKS": True}
    idle = f"-c idle_in_transaction_session_timeout={IDLE_SECONDS}s"
    owner["OPTIONS"] |= {"connect_timeout": 5, "options": idle}
    app = owner | {"OPTIONS": owner["OPTIONS"] | {"options": f"{idle} -c role={DATABASE_APP_ROLE}"}}
    if PROCESS == "web":
        # Threads share connections. Prefork workers must not: a pool does not survive a fork.
        # There are more connections than threads, so only a database that is gone makes anybody wait: not for long.
        app["OPTIONS"]["pool"] = {
            "min_size": 1,
            "max_size": env.integer("WEB_THREADS", 8) + 2,
            "timeout": 0.9,
            "reconnect_timeout": 1,  # else the pauses between attempts grow, and outlast the outage
        }
    elif PROCESS == "worker":
        app["CONN_MAX_AGE"] = 600
    return {"default": app, "owner": owner | {"TEST": {"MIRROR": None}}}


DATABASES = _databases()
DATABASE_ROUTERS = ["cs_platform.database.OwnerMigrates"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Sign-in limits are counted here, so the counters must survive a restart and be shared by all processes.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "django_cache"}}
SILENCED_SYSTEM_CHECKS: list[str] = []

# --- Sign-in -----------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
# Failures, not attempts: per machine, and per address whatever the machine. Counted in Postgres (CACHES).
ACCOUNT_RATE_LIMITS = {"login_failed": "30/15m/ip,10/15m/key"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_TOTP_ISSUER = "Customer Success"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
SOCIALACCOUNT_ADAPTER = "accounts.adapter.SocialAccountAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = False
SOCIALACCOUNT_LOGIN_ON_GET = False

# --- Web security ------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-src": [SELF],  # a mail shown inside a page (accounts/views/mail_frame.py)
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]  # asked from inside, where there is no TLS
SECURE_HSTS_SECONDS = env.integer("HSTS_SECONDS", 365 * 24 * 3600) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS and env.boolean("HSTS_INCLUDE_SUBDOMAINS", default=True)
SECURE_HSTS_PRELOAD = HTTPS and env.boolean("HSTS_PRELOAD", default=True)
if env.boolean("TRUST_PROXY_HEADERS", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
# Files go to a temporary folder while they come in, never into memory. Larger ones than this are for the command line.
IMPORT_MEGABYTES = env.integer("IMPORT_MEGABYTES", 200, minimum=1)
FILE_UPLOAD_HANDLERS = [
    "cs_platform.uploads.LimitUploads",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- Language and time -------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ko", _("Korean"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["cs_platform.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Static files ------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(VAR.var / "static")))
_HASHED = "whitenoise.storage.CompressedManifestStaticFilesStorage"
_PLAIN = "django.contrib.staticfiles.storage.StaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _PLAIN if DEBUG or TESTING else _HASHED},
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG or TESTING
WHITENOISE_MAX_AGE = 3600
MEDIA_ROOT = VAR.var / "media"

# --- Mail --------------------------------------------------------------------------------------------------------
_MAIL = env.email(env.text("EMAIL_URL", f"file:{VAR.mail}" if EMBEDDED_DATABASE else "console:"))
EMAIL_BACKEND = _MAIL["EMAIL_BACKEND"]
EMAIL_FILE_PATH = _MAIL.get("EMAIL_FILE_PATH")
EMAIL_HOST = _MAIL.get("EMAIL_HOST", "localhost")
EMAIL_PORT = _MAIL.get("EMAIL_PORT", 25)
EMAIL_HOST_USER = _MAIL.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = _MAIL.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_SSL = _MAIL.get("EMAIL_USE_SSL", False)
EMAIL_USE_TLS = _MAIL.get("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = _MAIL.get("EMAIL_TIMEOUT", 20)
DEFAULT_FROM_EMAIL = env.text(
    "DEFAULT_FROM_EMAIL", f"Customer Success <no-reply@{urlsplit(BASE_URL).hostname}>"
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# What anymail's backend needs to know, where EMAIL_URL names a provider.
ANYMAIL = _MAIL.get("ANYMAIL", {})
# The header by which the mail system recognises a mail it has had already, e.g. "Resend-Idempotency-Key".
MAIL_IDEMPOTENCY_HEADER = env.text("MAIL_IDEMPOTENCY_HEADER", "")

# --- Worker ------------------------------------------------------------------------------------------------------
REDIS_URL = env.text("REDIS_URL", paths.broker_url(VAR.valkey_socket))


def _celery_url(url: str) -> str:
    """redis-py says `unix:///socket?db=0`, kombu says `redis+socket:///socket?virtual_host=0`."""
    return url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=")


CELERY_BROKER_URL = _celery_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A message of a dead worker comes back after this time; it must exceed the longest task.
    "visibility_timeout": TASK_SECONDS + 60,
    # kombu's defaults look for such messages so rarely that 100 s are added.
    "unacked_restore_throttle": 1,
    "unacked_restore_interval": 2,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    # A hint that cannot be sent is given up at once; kombu would wait two seconds and try again, page by page.
    "max_retries": 0,
}
# Jobs live in the database; a message is only a hint that there is work, so publishing must never hold up a page.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = False
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = TASK_SECONDS
CELERY_TASK_SOFT_TIME_LIMIT = TASK_SECONDS - 5
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = env.integer("WORKER_PROCESSES", min(4, os.cpu_count() or 1), minimum=1)
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5.0
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = SCHEDULE
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR.run / "beat-schedule")

# --- Logs --------------------------------------------------------------------------------------------------------
LOGGING_CONFIG = "cs_platform.logs.configure"
LOGGING = logging_config(level=env.text("LOG_LEVEL", "WARNING" if PROCESS == "command" else "INFO"))
