import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0010_ratings"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="languagemodel",
            name="announced_shutdown_date",
            field=models.DateField(
                db_comment="The day of its end as the provider's list tells it.", editable=False, null=True
            ),
        ),
        migrations.AddField(
            model_name="languagemodel",
            name="checked_at",
            field=models.DateTimeField(db_comment="When the provider was last asked.", editable=False, null=True),
        ),
        migrations.AddField(
            model_name="languagemodel",
            name="is_listed",
            field=models.BooleanField(
                db_comment="Whether the provider listed it when it was last asked; empty: not asked yet.",
                editable=False,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="languagemodel",
            name="listed_at",
            field=models.DateTimeField(db_comment="When the provider last listed it.", editable=False, null=True),
        ),
        migrations.CreateModel(
            name="Trial",
            fields=[
                (
                    "generation",
                    models.OneToOneField(
                        db_comment="The call, with its instructions, tokens and cost.",
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="trial",
                        serialize=False,
                        to="conversations.generation",
                    ),
                ),
                ("prompt", models.TextField(db_comment="What was asked.")),
                ("text", models.TextField(blank=True, db_comment="What was answered, as far as it came.")),
                (
                    "asked_by",
                    models.ForeignKey(
                        db_comment="Who asked for it.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "assistant",
                    models.ForeignKey(
                        db_comment="Of a preview: the assistant that was tried.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="conversations.assistant",
                    ),
                ),
                (
                    "follows",
                    models.ForeignKey(
                        db_comment="The one that it goes on from.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="conversations.trial",
                    ),
                ),
            ],
            options={
                "db_table_comment": "Test calls of models and previews of assistants.",
                "default_permissions": (),
            },
        ),
    ]
