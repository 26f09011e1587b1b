import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_append_only"),
    ]

    operations = [
        migrations.CreateModel(
            name="KnownSetting",
            fields=[
                (
                    "name",
                    models.CharField(db_comment="The variable.", max_length=100, primary_key=True, serialize=False),
                ),
                ("digest", models.CharField(db_comment="HMAC of its value under SECRET_KEY, in hex.", max_length=64)),
            ],
            options={
                "db_table_comment": "What the environment was at the last start, to tell what has changed.",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="RefusedSignIns",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "person_id",
                    models.BigIntegerField(db_comment="Whose account; empty: names that nobody has.", null=True),
                ),
                (
                    "attempts",
                    models.PositiveIntegerField(db_comment="How many failed since they were last told of.", default=0),
                ),
                ("first_at", models.DateTimeField(db_comment="When the first of these failed.")),
                ("last_at", models.DateTimeField(db_comment="When the last of these failed.")),
                ("told_at", models.DateTimeField(db_comment="When the audit was last told; empty: never.", null=True)),
            ],
            options={
                "db_table_comment": "Failed sign-ins on their way into the audit.",
                "default_permissions": (),
            },
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["kind", "-seq"], name="audit_by_kind"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["created_at"], name="audit_by_time"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=django.contrib.postgres.indexes.GinIndex(
                condition=models.Q(("details__has_key", "owners")),
                fields=["details"],
                name="audit_by_owners",
                opclasses=["jsonb_path_ops"],
            ),
        ),
        migrations.AddConstraint(
            model_name="refusedsignins",
            constraint=models.UniqueConstraint(
                fields=("person_id",), name="refused_are_counted_together", nulls_distinct=False
            ),
        ),
    ]
