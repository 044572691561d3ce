"""Registration of the app: recovery of failed payments."""

from django.apps import AppConfig


class DunningConfig(AppConfig):
    name = "dunning"

    def ready(self) -> None:
        from dunning import (
            audit_words,
            defaults,
            demo_setup,
            job_kinds,
            navigation,
            notice_setup,
            notification_kinds,
            panels,
            permissions,
            personal_data,
            queue_source,
            search_sources,
            segment_fields,
            telling,
        )
        from dunning.reports import registration as reports

        permissions.register()
        audit_words.register()
        defaults.register()
        demo_setup.register()
        navigation.register()
        notification_kinds.register()
        personal_data.register()
        job_kinds.register()
        queue_source.register()
        panels.register()
        search_sources.register()
        segment_fields.register()
        telling.register()
        notice_setup.register()
        reports.register()
