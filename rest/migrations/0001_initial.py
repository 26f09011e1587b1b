import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Allowance",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "subject", "kind", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "subject",
                    models.CharField(
                        db_comment="Whose requests: token:<id>, session:<person> or user:<id>.", max_length=60
                    ),
                ),
                ("kind", models.CharField(db_comment="What is counted: requests or answers.", max_length=10)),
                ("began_at", models.DateTimeField(db_comment="When the running minute began: with its first request.")),
                ("used", models.IntegerField(db_comment="How many there were in it.")),
            ],
            options={
                "db_table_comment": "Requests of the running minute, to refuse those that are too many.",
                "default_permissions": (),
            },
        ),
        migrations.RunSQL("ALTER TABLE rest_allowance SET UNLOGGED", "ALTER TABLE rest_allowance SET LOGGED"),
        migrations.CreateModel(
            name="IdempotentRequest",
            fields=[
                ("id", models.BigAutoField(db_comment="Id of the row.", primary_key=True, serialize=False)),
                ("key", models.CharField(db_comment="The header Idempotency-Key.", max_length=255)),
                (
                    "method",
                    models.CharField(db_comment="The method of the request, always POST so far.", max_length=10),
                ),
                ("path", models.CharField(db_comment="Where it went, in its canonical spelling.", max_length=500)),
                (
                    "fingerprint",
                    models.CharField(db_comment="SHA-256 of what it said, in hex; never the text.", max_length=64),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("running", "running"), ("answered", "answered"), ("open", "open")],
                        db_comment="running, answered, or open: it may be carried out again, as what it does is done only once.",
                        default="running",
                        max_length=10,
                    ),
                ),
                (
                    "attempt",
                    models.UUIDField(
                        db_comment="Of who carries it out; a later one takes it over.", default=uuid.uuid4
                    ),
                ),
                (
                    "seen_at",
                    models.DateTimeField(
                        db_comment="When who carries it out last gave a sign of life.",
                        default=django.utils.timezone.now,
                    ),
                ),
                ("status", models.SmallIntegerField(blank=True, db_comment="HTTP status of the answer.", null=True)),
                (
                    "headers",
                    models.JSONField(db_comment="Headers of the answer that belong to what it says.", default=dict),
                ),
                (
                    "body",
                    models.BinaryField(
                        blank=True, db_comment="The answer, byte for byte; it goes after a day.", null=True
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_comment="When the key was first used.", default=django.utils.timezone.now),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_comment="Who asked; keys are theirs alone.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table_comment": "Requests with an Idempotency-Key of the last day, and their answers.",
                "default_permissions": (),
                "indexes": [models.Index(fields=["created_at"], name="idempotent_by_time")],
                "constraints": [models.UniqueConstraint(fields=("user", "key"), name="one_request_per_key")],
            },
        ),
    ]
