"""The table of events: partitioned by month of their own time, with a default partition.

Django cannot declare partitions, hence SQL. The months around today are made here; `health/services/partitions.py`
keeps making them. The second index holds only events that wait for a mapping, so it costs nothing once keys resolve.
"""

from django.db import migrations

_TABLE = """
CREATE TABLE health_event (
    workspace_id bigint NOT NULL,
    account_id bigint,
    contact_id bigint,
    source_import_id bigint,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    quantity double precision NOT NULL DEFAULT 1,
    message_hash bytea NOT NULL CHECK (octet_length(message_hash) = 16),
    name text NOT NULL,
    user_key text NOT NULL DEFAULT '',
    group_key text NOT NULL DEFAULT '',
    properties jsonb,
    PRIMARY KEY (workspace_id, occurred_at, message_hash)
) PARTITION BY RANGE (occurred_at);
CREATE TABLE health_event_default PARTITION OF health_event DEFAULT;
CREATE INDEX health_event_waiting ON health_event (workspace_id, user_key, group_key)
    WHERE account_id IS NULL OR (contact_id IS NULL AND user_key <> '');
"""


def months_around_today(apps, schema_editor):
    from django.utils import timezone

    from health.services.partitions import ensure_partitions

    ensure_partitions(today=timezone.now().date(), using=schema_editor.connection.alias)


class Migration(migrations.Migration):
    dependencies = [("health", "0001_initial")]

    operations = [
        migrations.RunSQL(_TABLE, "DROP TABLE health_event"),
        migrations.RunPython(months_around_today, migrations.RunPython.noop),
    ]
