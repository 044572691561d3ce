"""Registration of the app: who."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import (
            audit_words,
            billing_setup,
            import_kinds,
            job_kinds,
            mail_setup,
            navigation,
            notification_kinds,
            panels,
            personal_data,
            retention_kinds,
            segment_fields,
            settings_pages,
            text_setup,
            welcome_steps,
        )
        from accounts.api import in_flight
        from accounts.reports import registration as reports

        audit_words.register()
        import_kinds.register()
        in_flight.register()
        job_kinds.register()
        billing_setup.register()
        mail_setup.register()
        navigation.register()
        notification_kinds.register()
        panels.register()
        personal_data.register()
        retention_kinds.register()
        segment_fields.register()
        reports.register()
        settings_pages.register()
        text_setup.register()
        welcome_steps.register()
        post_migrate.connect(_secure, sender=self)


def _secure(*, using: str, **_: Any) -> None:
    from accounts.change_times import keep_change_times
    from accounts.order_guard import guard_charges
    from accounts.tenancy import secure_database

    secure_database(using)
    guard_charges(using)
    keep_change_times(using)
