import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import conversations.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("conversations", "0014_events_of_owners"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Batch",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_comment="UUID version 7.",
                        default=conversations.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(db_comment="What its owner calls it.", max_length=100)),
                (
                    "client_token",
                    models.UUIDField(
                        db_comment="Made from the client's Idempotency-Key: a batch that is sent twice is one.",
                        null=True,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("done", "Done"),
                            ("cancelled", "Cancelled"),
                            ("expired", "Expired"),
                        ],
                        db_comment="Where it stands.",
                        default="running",
                        max_length=9,
                    ),
                ),
                ("total", models.PositiveIntegerField(db_comment="How many prompts it has.")),
                (
                    "counts",
                    models.JSONField(
                        db_comment="Of a batch that has ended: how many of its prompts came to which end.", default=dict
                    ),
                ),
                (
                    "paused_until",
                    models.DateTimeField(
                        db_comment="Nothing of it begins before then: a limit is reached, or the model service is in trouble.",
                        null=True,
                    ),
                ),
                (
                    "problem",
                    models.CharField(
                        blank=True, db_comment="Why it pauses or was ended early, as its owner is told.", max_length=500
                    ),
                ),
                (
                    "troubles",
                    models.PositiveSmallIntegerField(
                        db_comment="How often in a row the model service failed; then one prompt at a time is tried.",
                        default=0,
                    ),
                ),
                (
                    "served_at",
                    models.DateTimeField(
                        db_comment="When a prompt of it last began, so that batches take turns.", null=True
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_comment="When it was given.", default=django.utils.timezone.now, editable=False
                    ),
                ),
                ("ended_at", models.DateTimeField(db_comment="When it last ended.", null=True)),
                ("expires_at", models.DateTimeField(db_comment="When its lines are removed.", null=True)),
                (
                    "assistant",
                    models.ForeignKey(
                        db_comment="Who answers.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="conversations.assistant",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        db_comment="Whose prompts these are; the conversations become theirs, and their limits hold.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batches",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "batches",
                "db_table_comment": "Files of prompts that the worker answers.",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="BatchItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(db_comment="The line of the file that it began on.")),
                ("custom_id", models.CharField(db_comment="What its owner knows it by.", max_length=100)),
                ("prompt", models.TextField(blank=True, db_comment="The prompt, until it is said in a conversation.")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("completed", "Completed"),
                            ("incomplete", "Cut off"),
                            ("refused", "Refused"),
                            ("stopped", "Stopped"),
                            ("failed", "Failed"),
                            ("interrupted", "Interrupted"),
                            ("removed", "Removed"),
                        ],
                        db_comment="Where it stands; of its answer, once ended.",
                        default="waiting",
                        max_length=11,
                    ),
                ),
                (
                    "tries",
                    models.PositiveSmallIntegerField(db_comment="How many answers were begun for it.", default=0),
                ),
                (
                    "error_code",
                    models.CharField(blank=True, db_comment="Why it became no conversation, as a code.", max_length=40),
                ),
                (
                    "error_text",
                    models.CharField(blank=True, db_comment="The same, as its owner is told.", max_length=500),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        db_comment="The batch.",
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="batches.batch",
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        db_comment="The conversation that it became; empty: none yet, or removed.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="conversations.conversation",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        db_comment="Its newest answer there.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="conversations.message",
                    ),
                ),
            ],
            options={
                "db_table_comment": "Prompts of batches.",
                "ordering": ["number"],
                "default_permissions": (),
            },
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(fields=["owner", "-id"], name="batch_of_owner"),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(condition=models.Q(("state", "running")), fields=["id"], name="batch_running"),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(
                condition=models.Q(("state__in", ["done", "cancelled"])), fields=["expires_at"], name="batch_expiring"
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["running", "done", "cancelled", "expired"])),
                name="batch_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "running"),
                    models.Q(("ended_at__isnull", False), ("expires_at__isnull", False)),
                    _connector="OR",
                ),
                name="ended_batch_has_its_times",
            ),
        ),
        migrations.AddIndex(
            model_name="batchitem",
            index=models.Index(
                condition=models.Q(("status", "waiting")),
                fields=["batch", "tries", "number"],
                name="batch_item_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="batchitem",
            index=models.Index(condition=models.Q(("status", "running")), fields=["batch"], name="batch_item_running"),
        ),
        migrations.AddIndex(
            model_name="batchitem",
            index=models.Index(fields=["batch", "status"], name="batch_item_by_status"),
        ),
        migrations.AddConstraint(
            model_name="batchitem",
            constraint=models.UniqueConstraint(fields=("batch", "number"), name="one_item_per_line"),
        ),
        migrations.AddConstraint(
            model_name="batchitem",
            constraint=models.UniqueConstraint(fields=("batch", "custom_id"), name="one_item_per_custom_id"),
        ),
        migrations.AddConstraint(
            model_name="batchitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        [
                            "waiting",
                            "running",
                            "completed",
                            "incomplete",
                            "refused",
                            "stopped",
                            "failed",
                            "interrupted",
                            "removed",
                        ],
                    )
                ),
                name="item_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("conversation__isnull", True), ("prompt", ""), _connector="OR"),
                name="what_was_said_is_in_the_conversation_alone",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "running"), _negated=True), ("message__isnull", False), _connector="OR"
                ),
                name="running_item_has_its_answer",
            ),
        ),
    ]
