import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import conversations.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="WebhookEndpoint",
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
                ("name", models.CharField(db_comment="What the back office calls it.", max_length=100, unique=True)),
                ("url", models.CharField(db_comment="Where deliveries go.", max_length=500)),
                (
                    "kinds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        db_comment="Kinds of events that are sent; empty: all, also later ones.",
                        default=list,
                    ),
                ),
                (
                    "is_enabled",
                    models.BooleanField(
                        db_comment="Otherwise nothing is sent; what comes meanwhile is sent when it is enabled again.",
                        default=True,
                    ),
                ),
                ("secret", models.TextField(db_comment="What deliveries are signed with, encrypted.", editable=False)),
                (
                    "cursor",
                    models.BigIntegerField(
                        db_comment="The last event of which a delivery was planned; it may be set back.",
                        default=0,
                        editable=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_comment="When it was made.", default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "holder",
                    models.UUIDField(
                        db_comment="Which sender holds it; another changes nothing.", editable=False, null=True
                    ),
                ),
                (
                    "held_until",
                    models.DateTimeField(
                        db_comment="Until when, unless it shows itself again.", editable=False, null=True
                    ),
                ),
                (
                    "pauses",
                    models.PositiveIntegerField(
                        db_comment="How often sending had to pause since something was delivered last.",
                        default=0,
                        editable=False,
                    ),
                ),
                ("resume_at", models.DateTimeField(db_comment="Until when it pauses.", editable=False, null=True)),
                (
                    "problem",
                    models.CharField(blank=True, db_comment="Why, as people are told.", editable=False, max_length=500),
                ),
                (
                    "troubled_at",
                    models.DateTimeField(
                        db_comment="Since when nothing can be delivered; empty: nothing is known against it.",
                        editable=False,
                        null=True,
                    ),
                ),
                (
                    "gave_up_at",
                    models.DateTimeField(
                        db_comment="When a delivery was given up, where none has arrived since.",
                        editable=False,
                        null=True,
                    ),
                ),
            ],
            options={
                "db_table_comment": "Addresses of other systems to which events are sent.",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
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
                ("seq", models.BigIntegerField(db_comment="Number of the event; 0: a test.")),
                ("kind", models.CharField(db_comment="Its kind.", max_length=40)),
                (
                    "conversation_id",
                    models.UUIDField(
                        db_comment="The conversation that it is about, which may be removed by now; empty: a test.",
                        null=True,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "Pending"), ("delivered", "Delivered"), ("failed", "Failed")],
                        db_comment="Where it stands.",
                        default="pending",
                        max_length=9,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_comment="When it was planned.", default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "due_at",
                    models.DateTimeField(db_comment="When it is tried next.", default=django.utils.timezone.now),
                ),
                ("give_up_at", models.DateTimeField(db_comment="From when on a try in vain is the last.")),
                ("tries", models.PositiveIntegerField(db_comment="How often it was tried.", default=0)),
                ("tried_at", models.DateTimeField(db_comment="When it was tried last.", null=True)),
                ("ended_at", models.DateTimeField(db_comment="When it arrived or was given up.", null=True)),
                (
                    "status_code",
                    models.PositiveSmallIntegerField(db_comment="What the last answer's status was.", null=True),
                ),
                ("milliseconds", models.PositiveIntegerField(db_comment="How long the last try took.", null=True)),
                ("answer", models.TextField(blank=True, db_comment="The beginning of the last answer, up to 1 KB.")),
                ("problem", models.CharField(blank=True, db_comment="Why the last try was in vain.", max_length=500)),
                (
                    "asked_by",
                    models.ForeignKey(
                        db_comment="Who asked for a test, or for it once more.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_comment="Where it goes.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="webhooks.webhookendpoint",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "webhook deliveries",
                "db_table_comment": "Events on their way to endpoints: the log of deliveries.",
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["endpoint", "id"], name="webhook_delivery_endpoint"),
                    models.Index(fields=["endpoint", "state", "id"], name="webhook_delivery_both"),
                    models.Index(fields=["state", "id"], name="webhook_delivery_state"),
                    models.Index(fields=["conversation_id"], name="webhook_delivery_conversation"),
                    models.Index(fields=["seq"], name="webhook_delivery_seq"),
                    models.Index(fields=["ended_at"], name="webhook_delivery_ended"),
                    models.Index(
                        condition=models.Q(("state", "pending")),
                        fields=["endpoint", "conversation_id", "seq"],
                        name="webhook_delivery_order",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "pending")),
                        fields=("endpoint", "seq"),
                        name="one_pending_delivery_of_an_event",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("state", "pending")),
                            models.Q(models.Q(("state", "pending"), _negated=True), ("ended_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="webhook_delivery_ended_or_pending",
                    ),
                ],
            },
        ),
    ]
