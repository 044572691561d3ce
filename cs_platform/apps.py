"""Registration of the composition root: its commands, its checks and the Celery application."""

from django.apps import AppConfig


class PlatformConfig(AppConfig):
    name = "cs_platform"

    def ready(self) -> None:
        from django.conf import settings
        from django.db.backends.signals import connection_created

        from cs_platform import api_reference, celery, database, error_reports

        api_reference.register()
        celery.app.set_default()
        error_reports.start(settings.SENTRY_DSN)
        connection_created.connect(database.refuse_powerful_role, dispatch_uid="refuse_powerful_role")
