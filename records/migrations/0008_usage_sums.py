from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0012_times"), ("records", "0007_marks_of_all")]

    operations = [
        # Nothing has filled it yet: it is made anew, with the histogram as columns.
        migrations.DeleteModel("UsageFact"),
        migrations.CreateModel(
            name="UsageChange",
            fields=[
                ("id", models.BigAutoField(db_comment="Its number.", primary_key=True, serialize=False)),
                (
                    "at",
                    models.DateTimeField(
                        db_comment="A moment of that day: not when it changed, but what.", db_index=True
                    ),
                ),
            ],
            options={
                "db_table_comment": "Marks of days whose sums are to be reckoned anew.",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="UsageFact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("conversations", models.PositiveIntegerField(db_comment="Conversations that began.", default=0)),
                ("prompts", models.PositiveIntegerField(db_comment="Prompts sent.", default=0)),
                ("answers", models.PositiveIntegerField(db_comment="Answers that ended, however they did.", default=0)),
                ("failed", models.PositiveIntegerField(db_comment="Of these, failed or interrupted ones.", default=0)),
                ("refused", models.PositiveIntegerField(db_comment="Of these, refused ones.", default=0)),
                ("stopped", models.PositiveIntegerField(db_comment="Of these, stopped ones.", default=0)),
                ("cut_off", models.PositiveIntegerField(db_comment="Of these, ones that were cut off.", default=0)),
                (
                    "calls",
                    models.PositiveIntegerField(
                        db_comment="Model calls that used something: answers, steps, further tries, titles.", default=0
                    ),
                ),
                (
                    "estimated_calls",
                    models.PositiveIntegerField(db_comment="Of these, ones whose tokens are an estimate.", default=0),
                ),
                (
                    "unpriced_calls",
                    models.PositiveIntegerField(db_comment="Of these, ones whose cost is unknown.", default=0),
                ),
                (
                    "input_tokens",
                    models.PositiveBigIntegerField(db_comment="Tokens of input, cached ones included.", default=0),
                ),
                ("cached_tokens", models.PositiveBigIntegerField(db_comment="Of these, cached ones.", default=0)),
                (
                    "output_tokens",
                    models.PositiveBigIntegerField(db_comment="Tokens of output, reasoning included.", default=0),
                ),
                (
                    "reasoning_tokens",
                    models.PositiveBigIntegerField(db_comment="Of these, spent on reasoning.", default=0),
                ),
                (
                    "cost",
                    models.DecimalField(
                        db_comment="US dollars, of the calls of known cost.", decimal_places=8, default=0, max_digits=16
                    ),
                ),
                (
                    "first_texts",
                    models.PositiveIntegerField(db_comment="Answers in which a first text came.", default=0),
                ),
                (
                    "first_text_ms",
                    models.PositiveBigIntegerField(
                        db_comment="Milliseconds from their first request to their first text, summed over these.",
                        default=0,
                    ),
                ),
                (
                    "first_text_250ms",
                    models.PositiveIntegerField(db_comment="Of these, ones that took up to 0.25 s.", default=0),
                ),
                (
                    "first_text_500ms",
                    models.PositiveIntegerField(db_comment="More than 0.25 s, and up to 0.5 s.", default=0),
                ),
                ("first_text_1s", models.PositiveIntegerField(db_comment="More than 0.5 s, and up to 1 s.", default=0)),
                ("first_text_2s", models.PositiveIntegerField(db_comment="More than 1 s, and up to 2 s.", default=0)),
                ("first_text_4s", models.PositiveIntegerField(db_comment="More than 2 s, and up to 4 s.", default=0)),
                ("first_text_8s", models.PositiveIntegerField(db_comment="More than 4 s, and up to 8 s.", default=0)),
                ("first_text_16s", models.PositiveIntegerField(db_comment="More than 8 s, and up to 16 s.", default=0)),
                (
                    "first_text_32s",
                    models.PositiveIntegerField(db_comment="More than 16 s, and up to 32 s.", default=0),
                ),
                ("first_text_longer", models.PositiveIntegerField(db_comment="More than 32 s.", default=0)),
                (
                    "thumbs_up",
                    models.PositiveIntegerField(db_comment="Answers of this time that are rated good.", default=0),
                ),
                (
                    "thumbs_down",
                    models.PositiveIntegerField(db_comment="Answers of this time that are rated bad.", default=0),
                ),
                ("day", models.DateField(db_comment="The day, in the zone of the server.")),
                (
                    "owner_id",
                    models.BigIntegerField(
                        db_comment="Id of the person; 0: calls of nobody, such as tests of a model."
                    ),
                ),
                ("assistant_id", models.BigIntegerField(db_comment="Id of the assistant; 0: none.")),
                ("model_id", models.BigIntegerField(db_comment="Id of the model; 0: none was called.")),
                (
                    "is_removed",
                    models.BooleanField(
                        db_comment="Of conversations that were removed since; never reckoned anew.", default=False
                    ),
                ),
            ],
            options={
                "verbose_name": "usage",
                "verbose_name_plural": "usage",
                "db_table_comment": "Use by day, person, assistant and model; kept by a job, and kept when text is removed.",
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("day", "owner_id", "assistant_id", "model_id", "is_removed"), name="one_fact_per_day"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="UsageSum",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("conversations", models.PositiveIntegerField(db_comment="Conversations that began.", default=0)),
                ("prompts", models.PositiveIntegerField(db_comment="Prompts sent.", default=0)),
                ("answers", models.PositiveIntegerField(db_comment="Answers that ended, however they did.", default=0)),
                ("failed", models.PositiveIntegerField(db_comment="Of these, failed or interrupted ones.", default=0)),
                ("refused", models.PositiveIntegerField(db_comment="Of these, refused ones.", default=0)),
                ("stopped", models.PositiveIntegerField(db_comment="Of these, stopped ones.", default=0)),
                ("cut_off", models.PositiveIntegerField(db_comment="Of these, ones that were cut off.", default=0)),
                (
                    "calls",
                    models.PositiveIntegerField(
                        db_comment="Model calls that used something: answers, steps, further tries, titles.", default=0
                    ),
                ),
                (
                    "estimated_calls",
                    models.PositiveIntegerField(db_comment="Of these, ones whose tokens are an estimate.", default=0),
                ),
                (
                    "unpriced_calls",
                    models.PositiveIntegerField(db_comment="Of these, ones whose cost is unknown.", default=0),
                ),
                (
                    "input_tokens",
                    models.PositiveBigIntegerField(db_comment="Tokens of input, cached ones included.", default=0),
                ),
                ("cached_tokens", models.PositiveBigIntegerField(db_comment="Of these, cached ones.", default=0)),
                (
                    "output_tokens",
                    models.PositiveBigIntegerField(db_comment="Tokens of output, reasoning included.", default=0),
                ),
                (
                    "reasoning_tokens",
                    models.PositiveBigIntegerField(db_comment="Of these, spent on reasoning.", default=0),
                ),
                (
                    "cost",
                    models.DecimalField(
                        db_comment="US dollars, of the calls of known cost.", decimal_places=8, default=0, max_digits=16
                    ),
                ),
                (
                    "first_texts",
                    models.PositiveIntegerField(db_comment="Answers in which a first text came.", default=0),
                ),
                (
                    "first_text_ms",
                    models.PositiveBigIntegerField(
                        db_comment="Milliseconds from their first request to their first text, summed over these.",
                        default=0,
                    ),
                ),
                (
                    "first_text_250ms",
                    models.PositiveIntegerField(db_comment="Of these, ones that took up to 0.25 s.", default=0),
                ),
                (
                    "first_text_500ms",
                    models.PositiveIntegerField(db_comment="More than 0.25 s, and up to 0.5 s.", default=0),
                ),
                ("first_text_1s", models.PositiveIntegerField(db_comment="More than 0.5 s, and up to 1 s.", default=0)),
                ("first_text_2s", models.PositiveIntegerField(db_comment="More than 1 s, and up to 2 s.", default=0)),
                ("first_text_4s", models.PositiveIntegerField(db_comment="More than 2 s, and up to 4 s.", default=0)),
                ("first_text_8s", models.PositiveIntegerField(db_comment="More than 4 s, and up to 8 s.", default=0)),
                ("first_text_16s", models.PositiveIntegerField(db_comment="More than 8 s, and up to 16 s.", default=0)),
                (
                    "first_text_32s",
                    models.PositiveIntegerField(db_comment="More than 16 s, and up to 32 s.", default=0),
                ),
                ("first_text_longer", models.PositiveIntegerField(db_comment="More than 32 s.", default=0)),
                (
                    "thumbs_up",
                    models.PositiveIntegerField(db_comment="Answers of this time that are rated good.", default=0),
                ),
                (
                    "thumbs_down",
                    models.PositiveIntegerField(db_comment="Answers of this time that are rated bad.", default=0),
                ),
                (
                    "period",
                    models.CharField(
                        choices=[("month", "Month"), ("year", "Year")], db_comment="Month or year.", max_length=5
                    ),
                ),
                ("start", models.DateField(db_comment="Its first day.")),
                ("owner_id", models.BigIntegerField(db_comment="Id of the person; 0: calls of nobody.")),
                ("assistant_id", models.BigIntegerField(db_comment="Id of the assistant; 0: none.")),
                ("model_id", models.BigIntegerField(db_comment="Id of the model; 0: none was called.")),
            ],
            options={
                "db_table_comment": "Use by month and year: sums of the days.",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("period", "start", "owner_id", "assistant_id", "model_id"), name="one_sum_per_period"
                    )
                ],
            },
        ),
    ]
