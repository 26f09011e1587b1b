import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0002_export_parts"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="review",
            name="policies",
        ),
        migrations.CreateModel(
            name="ReviewReason",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "message_id",
                    models.UUIDField(
                        db_comment="Id of the message that it is about; empty: the whole conversation.", null=True
                    ),
                ),
                ("at", models.DateTimeField(db_comment="When it came about: when it was said, ended or rated.")),
                (
                    "words",
                    models.CharField(
                        blank=True,
                        db_comment="Of keywords: the line of the policy that was found.",
                        max_length=300,
                    ),
                ),
                (
                    "cost",
                    models.DecimalField(
                        db_comment="Of high cost: US dollars, what it had cost by then.",
                        decimal_places=8,
                        max_digits=16,
                        null=True,
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        db_comment="The policy that found it.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reasons",
                        to="records.reviewpolicy",
                    ),
                ),
                (
                    "review",
                    models.ForeignKey(
                        db_comment="The review that it calls for.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reasons",
                        to="records.review",
                    ),
                ),
            ],
            options={
                "db_table_comment": "Why conversations came into the queue.",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("review", "policy", "message_id"),
                        name="one_reason_per_occasion",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
    ]
