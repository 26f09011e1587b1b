import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                (
                    "seq",
                    models.BigIntegerField(
                        db_comment="Its number: 1, 2, 3 … without a gap.", primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(db_comment="What was done, such as conversation.read.", max_length=60)),
                (
                    "actor_id",
                    models.BigIntegerField(
                        db_comment="Id of the person who did it; empty: the system itself.", null=True
                    ),
                ),
                (
                    "object_type",
                    models.CharField(
                        blank=True, db_comment="What it was done to, such as conversation.", max_length=40
                    ),
                ),
                ("object_id", models.CharField(blank=True, db_comment="The id of that.", max_length=64)),
                (
                    "subject_id",
                    models.BigIntegerField(
                        db_comment="Id of the person whom what it was done to belongs to.", null=True
                    ),
                ),
                ("reason", models.CharField(blank=True, db_comment="Why, in the words of who did it.", max_length=500)),
                (
                    "details",
                    models.JSONField(db_comment="Ids, counts, names of fields; never what people wrote.", default=dict),
                ),
                ("created_at", models.DateTimeField(db_comment="When it was done.", default=django.utils.timezone.now)),
                (
                    "previous_hash",
                    models.CharField(db_comment="The hash of the event before; zeros in the first one.", max_length=64),
                ),
                (
                    "hash",
                    models.CharField(
                        db_comment="SHA-256 of this event with the hash of the one before, in hex.", max_length=64
                    ),
                ),
            ],
            options={
                "db_table_comment": "Who did, read, searched or exported what, and why. Rows are only ever added.",
                "ordering": ["seq"],
                "permissions": [("read_audit", "Can read who did what")],
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["subject_id", "-seq"], name="audit_by_subject"),
                    models.Index(fields=["actor_id", "-seq"], name="audit_by_actor"),
                    models.Index(fields=["object_type", "object_id", "-seq"], name="audit_by_object"),
                ],
            },
        ),
    ]
