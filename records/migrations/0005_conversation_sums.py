import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0011_catalogue_checks"),
        ("records", "0004_export_part_owners"),
    ]

    operations = [
        migrations.CreateModel(
            name="StaleConversation",
            fields=[
                ("id", models.BigAutoField(db_comment="Its number.", primary_key=True, serialize=False)),
                ("conversation_id", models.UUIDField(db_comment="Id of the conversation, which may be gone by now.")),
            ],
            options={
                "db_table_comment": "Conversations whose sums have to be reckoned anew.",
                "default_permissions": (),
            },
        ),
        migrations.RemoveIndex(
            model_name="conversationfact",
            name="fact_by_cost",
        ),
        migrations.RemoveIndex(
            model_name="conversationfact",
            name="fact_by_tokens",
        ),
        migrations.RemoveIndex(
            model_name="conversationfact",
            name="fact_with_files",
        ),
        migrations.RemoveIndex(
            model_name="conversationfact",
            name="fact_rated_bad",
        ),
        migrations.RemoveIndex(
            model_name="conversationfact",
            name="fact_failed",
        ),
        migrations.RemoveIndex(
            model_name="conversationfact",
            name="fact_refused",
        ),
        migrations.AddField(
            model_name="conversationfact",
            name="cut_off",
            field=models.PositiveIntegerField(db_comment="Answers that were cut off.", default=0),
        ),
        migrations.AddField(
            model_name="conversationfact",
            name="last_activity_at",
            field=models.DateTimeField(
                db_comment="When something was last said, as of the reckoning; lists are ordered by it.",
                default=django.utils.timezone.now,
            ),
        ),
        migrations.AddField(
            model_name="conversationfact",
            name="model_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                db_comment="Ids of the models that were asked for its answers.",
                default=list,
            ),
        ),
        migrations.AddField(
            model_name="conversationfact",
            name="stopped",
            field=models.PositiveIntegerField(db_comment="Answers that their owner stopped.", default=0),
        ),
        migrations.AddIndex(
            model_name="conversationfact",
            index=models.Index(fields=["-last_activity_at", "-conversation"], name="fact_by_activity"),
        ),
        migrations.AddIndex(
            model_name="conversationfact",
            index=models.Index(fields=["-cost", "-conversation"], name="fact_by_cost"),
        ),
        migrations.AddIndex(
            model_name="conversationfact",
            index=models.Index(fields=["-tokens", "-conversation"], name="fact_by_tokens"),
        ),
        migrations.AddIndex(
            model_name="conversationfact",
            index=models.Index(
                condition=models.Q(("files__gt", 0)),
                fields=["-last_activity_at", "-conversation"],
                name="fact_with_files",
            ),
        ),
        migrations.AddIndex(
            model_name="conversationfact",
            index=models.Index(
                condition=models.Q(("thumbs_up__gt", 0)),
                fields=["-last_activity_at", "-conversation"],
                name="fact_rated_good",
            ),
        ),
        migrations.AddIndex(
            model_name="conversationfact",
            index=models.Index(
                condition=models.Q(("thumbs_down__gt", 0)),
                fields=["-last_activity_at", "-conversation"],
                name="fact_rated_bad",
            ),
        ),
        migrations.AddIndex(
            model_name="conversationfact",
            index=models.Index(
                condition=models.Q(("failed__gt", 0)), fields=["-last_activity_at", "-conversation"], name="fact_failed"
            ),
        ),
        migrations.AddIndex(
            model_name="conversationfact",
            index=models.Index(
                condition=models.Q(("refused__gt", 0)),
                fields=["-last_activity_at", "-conversation"],
                name="fact_refused",
            ),
        ),
        migrations.AddIndex(
            model_name="conversationfact",
            index=models.Index(
                condition=models.Q(("stopped__gt", 0)),
                fields=["-last_activity_at", "-conversation"],
                name="fact_stopped",
            ),
        ),
        migrations.AddIndex(
            model_name="conversationfact",
            index=models.Index(
                condition=models.Q(("cut_off__gt", 0)),
                fields=["-last_activity_at", "-conversation"],
                name="fact_cut_off",
            ),
        ),
        migrations.AddIndex(
            model_name="conversationfact",
            index=django.contrib.postgres.indexes.GinIndex(fields=["model_ids"], name="fact_by_model"),
        ),
    ]
