"""Use by day, person, assistant and model: sums over the record that outlive what they sum up."""

from __future__ import annotations

from django.db import models


class UsageMeasures(models.Model):
    """What is summed. Sums of sums are sums, the histogram included, so that reports may add up any of these rows."""

    conversations = models.PositiveIntegerField(default=0, db_comment="Conversations that began.")
    prompts = models.PositiveIntegerField(default=0, db_comment="Prompts sent.")
    answers = models.PositiveIntegerField(default=0, db_comment="Answers that ended, however they did.")
    failed = models.PositiveIntegerField(default=0, db_comment="Of these, failed or interrupted ones.")
    refused = models.PositiveIntegerField(default=0, db_comment="Of these, refused ones.")
    stopped = models.PositiveIntegerField(default=0, db_comment="Of these, stopped ones.")
    cut_off = models.PositiveIntegerField(default=0, db_comment="Of these, ones that were cut off.")
    calls = models.PositiveIntegerField(
        default=0, db_comment="Model calls that used something: answers, steps, further tries, titles."
    )
    estimated_calls = models.PositiveIntegerField(default=0, db_comment="Of these, ones whose tokens are an estimate.")
    unpriced_calls = models.PositiveIntegerField(default=0, db_comment="Of these, ones whose cost is unknown.")
    input_tokens = models.PositiveBigIntegerField(default=0, db_comment="Tokens of input, cached ones included.")
    cached_tokens = models.PositiveBigIntegerField(default=0, db_comment="Of these, cached ones.")
    output_tokens = models.PositiveBigIntegerField(default=0, db_comment="Tokens of output, reasoning included.")
    reasoning_tokens = models.PositiveBigIntegerField(default=0, db_comment="Of these, spent on reasoning.")
    cost = models.DecimalField(
        max_digits=16, decimal_places=8, default=0, db_comment="US dollars, of the calls of known cost."
    )
    first_texts = models.PositiveIntegerField(default=0, db_comment="Answers in which a first text came.")
    first_text_ms = models.PositiveBigIntegerField(
        default=0, db_comment="Milliseconds from their first request to their first text, summed over these."
    )
    first_text_250ms = models.PositiveIntegerField(default=0, db_comment="Of these, ones that took up to 0.25 s.")
    first_text_500ms = models.PositiveIntegerField(default=0, db_comment="More than 0.25 s, and up to 0.5 s.")
    first_text_1s = models.PositiveIntegerField(default=0, db_comment="More than 0.5 s, and up to 1 s.")
    first_text_2s = models.PositiveIntegerField(default=0, db_comment="More than 1 s, and up to 2 s.")
    first_text_4s = models.PositiveIntegerField(default=0, db_comment="More than 2 s, and up to 4 s.")
    first_text_8s = models.PositiveIntegerField(default=0, db_comment="More than 4 s, and up to 8 s.")
    first_text_16s = models.PositiveIntegerField(default=0, db_comment="More than 8 s, and up to 16 s.")
    first_text_32s = models.PositiveIntegerField(default=0, db_comment="More than 16 s, and up to 32 s.")
    first_text_longer = models.PositiveIntegerField(default=0, db_comment="More than 32 s.")
    thumbs_up = models.PositiveIntegerField(default=0, db_comment="Answers of this time that are rated good.")
    thumbs_down = models.PositiveIntegerField(default=0, db_comment="Answers of this time that are rated bad.")

    class Meta:
        abstract = True


class UsageFact(UsageMeasures):
    """What one person did with one assistant and one model on one day.

    There are two rows where conversations were removed: one for what is still in the record, which can be reckoned anew
    at any time, and one to which each conversation was added when it was removed. Whoever reads adds up both.
    """

    day = models.DateField(db_comment="The day, in the zone of the server.")
    owner_id = models.BigIntegerField(db_comment="Id of the person; 0: calls of nobody, such as tests of a model.")
    assistant_id = models.BigIntegerField(db_comment="Id of the assistant; 0: none.")
    model_id = models.BigIntegerField(db_comment="Id of the model; 0: none was called.")
    is_removed = models.BooleanField(
        default=False, db_comment="Of conversations that were removed since; never reckoned anew."
    )

    class Meta:
        verbose_name = "usage"
        verbose_name_plural = "usage"
        db_table_comment = "Use by day, person, assistant and model; kept by a job, and kept when text is removed."
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["day", "owner_id", "assistant_id", "model_id", "is_removed"], name="one_fact_per_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.owner_id} {self.assistant_id} {self.model_id}"


class UsageSum(UsageMeasures):
    """The same by month and year, so that ten years are a matter of some rows. Changed with each day that changes.

    Three kinds of rows hold the same sums: most questions ask for people or for what they used, and few for both.
    """

    class Period(models.TextChoices):
        MONTH = "month", "Month"
        YEAR = "year", "Year"

    class Kind(models.TextChoices):
        EACH = "each", "Of each person with each assistant and model"
        PERSON = "person", "Of each person"
        SERVICE = "service", "Of each assistant and model"

    kind = models.CharField(max_length=7, choices=Kind, db_comment="What is told apart: each, person or service.")
    period = models.CharField(max_length=5, choices=Period, db_comment="Month or year.")
    start = models.DateField(db_comment="Its first day.")
    owner_id = models.BigIntegerField(db_comment="Id of the person; 0: nobody, or everybody where not told apart.")
    assistant_id = models.BigIntegerField(db_comment="Id of the assistant; 0: none, or all where not told apart.")
    model_id = models.BigIntegerField(db_comment="Id of the model; 0: none, or all where not told apart.")

    class Meta:
        db_table_comment = "Use by month and year: sums of the days, of three kinds that each hold all of it."
        default_permissions = ()
        constraints = [
            # With the prompts in it the index alone tells who wrote anything.
            models.UniqueConstraint(
                fields=["kind", "period", "start", "owner_id", "assistant_id", "model_id"],
                include=["prompts"],
                name="one_sum_per_period",
            )
        ]

    def __str__(self) -> str:
        return f"{self.period} from {self.start}"


class UsageChange(models.Model):
    """A mark that something changed which counts for a day: it is reckoned anew, and the mark goes.

    A mark is never shared, so that one that is written while its day is being reckoned is still there afterwards.
    """

    id = models.BigAutoField(primary_key=True, db_comment="Its number.")
    at = models.DateTimeField(db_index=True, db_comment="A moment of that day: not when it changed, but what.")

    class Meta:
        db_table_comment = "Marks of days whose sums are to be reckoned anew."
        default_permissions = ()

    def __str__(self) -> str:
        return f"Something of {self.at:%Y-%m-%d} changed"


MEASURES = tuple(field.name for field in UsageMeasures._meta.local_fields)
"""The names of all measures."""
