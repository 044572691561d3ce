"""Registration of the app: what is happening and what to do about it."""

from django.apps import AppConfig


class HealthConfig(AppConfig):
    name = "health"

    def ready(self) -> None:
        from health import (
            audit_words,
            change_kinds,
            import_kinds,
            job_kinds,
            navigation,
            notification_kinds,
            panels,
            personal_data,
            retention_kinds,
            search_sources,
            segment_fields,
            segment_users,
            sequence_setup,
            settings_pages,
            welcome_steps,
        )
        from health.metrics import register_metrics
        from health.reports import registration as reports
        from health.risks.defaults import register_defaults
        from health.services import demo_experiments

        audit_words.register()
        register_metrics()
        register_defaults()
        job_kinds.register()
        sequence_setup.register()
        notification_kinds.register()
        change_kinds.register()
        demo_experiments.register()
        navigation.register()
        import_kinds.register()
        panels.register()
        personal_data.register()
        retention_kinds.register()
        reports.register()
        search_sources.register()
        segment_fields.register()
        segment_users.register()
        settings_pages.register()
        welcome_steps.register()
