import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_names_without_case"),
    ]

    operations = [
        migrations.CreateModel(
            name="Token",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_comment="Id, in answers and audit.",
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("personal", "personal"), ("service", "service")],
                        db_comment="personal: made by its owner; service: made by an administrator for a system.",
                        default="personal",
                        max_length=10,
                    ),
                ),
                ("name", models.CharField(db_comment="What it is for, in the words of who made it.", max_length=100)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("read", "Read what is yours"),
                                ("write", "Write for you: ask, change, delete"),
                                ("read_all", "Read what everybody wrote; each reading is audited"),
                                ("events", "Follow events"),
                            ],
                            max_length=10,
                        ),
                        db_comment="What it may be used for: read, write, read_all, events.",
                    ),
                ),
                (
                    "prefix",
                    models.CharField(db_comment="How the secret begins, to tell tokens apart by.", max_length=12),
                ),
                ("digest", models.CharField(db_comment="SHA-256 of the secret, in hex.", max_length=64, unique=True)),
                ("created_at", models.DateTimeField(db_comment="When it was made.", default=django.utils.timezone.now)),
                (
                    "expires_at",
                    models.DateTimeField(
                        blank=True, db_comment="Until when it holds; empty: until revoked.", null=True
                    ),
                ),
                (
                    "revoked_at",
                    models.DateTimeField(blank=True, db_comment="When it was revoked; empty: it was not.", null=True),
                ),
                (
                    "last_used_at",
                    models.DateTimeField(
                        blank=True, db_comment="The minute in which it was last used; empty: never.", null=True
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_comment="Who made it; empty: a command, or somebody who is gone.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        db_comment="For whom it acts, and whose rights are its limit.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tokens",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table_comment": "Passwords of programs, as hashes.",
                "ordering": ["-created_at", "-id"],
                "permissions": [("manage_tokens", "Can see and revoke everybody's tokens")],
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["owner", "-created_at"], name="tokens_of_owner"),
                    models.Index(fields=["-created_at", "-id"], name="tokens_by_time"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("scopes__contained_by", ["read", "write", "read_all", "events"]), ("scopes__len__gt", 0)
                        ),
                        name="token_scopes_are_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("expires_at", None), ("expires_at__gt", models.F("created_at")), _connector="OR"
                        ),
                        name="token_ends_after_it_began",
                    ),
                ],
            },
        ),
    ]
