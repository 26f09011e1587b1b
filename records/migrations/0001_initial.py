import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import conversations.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("conversations", "0010_ratings"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ReviewLabel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(db_comment="The label.", max_length=60, unique=True)),
                ("is_enabled", models.BooleanField(db_comment="May be chosen.", default=True)),
            ],
            options={
                "db_table_comment": "Labels of reviews.",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Watermark",
            fields=[
                ("name", models.CharField(db_comment="The job.", max_length=40, primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_comment="Everything before this moment was taken in.")),
            ],
            options={
                "db_table_comment": "How far jobs that follow the record have come.",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="BulkExport",
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
                ("reason", models.CharField(db_comment="Why.", max_length=500)),
                ("filters", models.JSONField(db_comment="Which conversations: ids and days.", default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                            ("expired", "Expired"),
                        ],
                        db_comment="Where it stands.",
                        default="waiting",
                        max_length=9,
                    ),
                ),
                (
                    "total",
                    models.PositiveIntegerField(
                        db_comment="How many conversations it takes; empty: not counted yet.", null=True
                    ),
                ),
                ("done", models.PositiveIntegerField(db_comment="How many of these are written.", default=0)),
                (
                    "cursor",
                    models.UUIDField(
                        db_comment="The last conversation that is written; a job goes on behind it.", null=True
                    ),
                ),
                (
                    "problem",
                    models.CharField(blank=True, db_comment="What went wrong, as people are told.", max_length=500),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_comment="When it was asked for.", default=django.utils.timezone.now, editable=False
                    ),
                ),
                ("finished_at", models.DateTimeField(db_comment="When it ended.", null=True)),
                ("expires_at", models.DateTimeField(db_comment="When its objects are removed.", null=True)),
                (
                    "requested_by",
                    models.ForeignKey(
                        db_comment="Who asked for it.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table_comment": "Exports of many conversations.",
                "permissions": [("export_record", "Can export the conversations of others")],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="BulkExportPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("conversations", "Conversations"), ("file", "File"), ("manifest", "Manifest")],
                        db_comment="What it holds.",
                        max_length=13,
                    ),
                ),
                ("name", models.CharField(db_comment="Its name in the manifest.", max_length=255)),
                (
                    "bucket",
                    models.CharField(blank=True, db_comment="The bucket; empty for files in VAR_DIR.", max_length=63),
                ),
                ("key", models.CharField(db_comment="The object's key: generated.", max_length=100, unique=True)),
                ("size", models.PositiveBigIntegerField(db_comment="Bytes.")),
                ("sha256", models.CharField(db_comment="Hash of the bytes in hex.", max_length=64)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_comment="When it was written.", default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "export",
                    models.ForeignKey(
                        db_comment="The export that it belongs to.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="records.bulkexport",
                    ),
                ),
            ],
            options={
                "db_table_comment": "Objects of exports.",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ConversationFact",
            fields=[
                (
                    "conversation",
                    models.OneToOneField(
                        db_comment="The conversation.",
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="fact",
                        serialize=False,
                        to="conversations.conversation",
                    ),
                ),
                (
                    "messages",
                    models.PositiveIntegerField(db_comment="Prompts and answers, on all branches.", default=0),
                ),
                ("answers", models.PositiveIntegerField(db_comment="Answers.", default=0)),
                (
                    "failed",
                    models.PositiveIntegerField(db_comment="Answers that failed or were interrupted.", default=0),
                ),
                ("refused", models.PositiveIntegerField(db_comment="Answers that the model refused.", default=0)),
                ("files", models.PositiveIntegerField(db_comment="Files.", default=0)),
                ("thumbs_up", models.PositiveIntegerField(db_comment="Answers rated good.", default=0)),
                ("thumbs_down", models.PositiveIntegerField(db_comment="Answers rated bad.", default=0)),
                (
                    "tokens",
                    models.PositiveBigIntegerField(
                        db_comment="Tokens of input and output, as far as known.", default=0
                    ),
                ),
                (
                    "cost",
                    models.DecimalField(
                        db_comment="US dollars, of the calls of known cost.", decimal_places=8, default=0, max_digits=16
                    ),
                ),
                ("unpriced_calls", models.PositiveIntegerField(db_comment="Calls of unknown cost.", default=0)),
                ("updated_at", models.DateTimeField(db_comment="When it was reckoned.")),
            ],
            options={
                "db_table_comment": "Sums of each conversation, for lists; kept by a job.",
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["-cost"], name="fact_by_cost"),
                    models.Index(fields=["-tokens"], name="fact_by_tokens"),
                    models.Index(condition=models.Q(("files__gt", 0)), fields=["conversation"], name="fact_with_files"),
                    models.Index(
                        condition=models.Q(("thumbs_down__gt", 0)), fields=["conversation"], name="fact_rated_bad"
                    ),
                    models.Index(condition=models.Q(("failed__gt", 0)), fields=["conversation"], name="fact_failed"),
                    models.Index(condition=models.Q(("refused__gt", 0)), fields=["conversation"], name="fact_refused"),
                ],
            },
        ),
        migrations.CreateModel(
            name="LegalHold",
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
                ("reason", models.CharField(db_comment="Why it must stay.", max_length=500)),
                (
                    "placed_at",
                    models.DateTimeField(
                        db_comment="When it was placed.", default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "lifted_at",
                    models.DateTimeField(blank=True, db_comment="When it was lifted; empty: it holds.", null=True),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        blank=True,
                        db_comment="The conversation that stays.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holds",
                        to="conversations.conversation",
                    ),
                ),
                (
                    "lifted_by",
                    models.ForeignKey(
                        blank=True,
                        db_comment="Who lifted it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "placed_by",
                    models.ForeignKey(
                        db_comment="Who placed it.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_comment="Whose conversations stay.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table_comment": "What must not be removed.",
                "default_permissions": ("add", "change", "view"),
            },
        ),
        migrations.CreateModel(
            name="RetentionPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(db_comment="What it is called.", max_length=100, unique=True)),
                (
                    "basis",
                    models.CharField(
                        choices=[
                            ("activity", "Since something was last said"),
                            ("concluded", "Since it was concluded"),
                        ],
                        db_comment="From when days count.",
                        default="activity",
                        max_length=9,
                    ),
                ),
                (
                    "days",
                    models.PositiveIntegerField(
                        db_comment="How many days a conversation is kept.",
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                ("is_enabled", models.BooleanField(db_comment="Removes conversations.", default=False)),
                (
                    "assistant",
                    models.ForeignKey(
                        blank=True,
                        db_comment="Holds for conversations with this assistant; empty: with all.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="conversations.assistant",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        db_comment="Holds for conversations of this group's members; empty: for everybody's.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="auth.group",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "retention policies",
                "db_table_comment": "How long conversations are kept.",
            },
        ),
        migrations.CreateModel(
            name="RetentionRun",
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
                (
                    "kind",
                    models.CharField(
                        choices=[("policies", "Policies"), ("erasure", "Erasure of a person")],
                        db_comment="What it carries out.",
                        max_length=8,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("running", "Running"), ("done", "Done"), ("failed", "Failed")],
                        db_comment="Where it stands.",
                        default="running",
                        max_length=7,
                    ),
                ),
                ("is_dry", models.BooleanField(db_comment="Counts what would go and removes nothing.", default=False)),
                ("person_id", models.BigIntegerField(db_comment="Of an erasure: the id of the person.", null=True)),
                ("reason", models.CharField(blank=True, db_comment="Why, of what a person asked for.", max_length=500)),
                (
                    "counts",
                    models.JSONField(
                        db_comment="What was removed, kept by a hold, and failed, as counts.", default=dict
                    ),
                ),
                (
                    "problem",
                    models.CharField(
                        blank=True, db_comment="What keeps it from going on, as people are told.", max_length=500
                    ),
                ),
                (
                    "started_at",
                    models.DateTimeField(
                        db_comment="When it began.", default=django.utils.timezone.now, editable=False
                    ),
                ),
                ("finished_at", models.DateTimeField(db_comment="When it ended.", null=True)),
                (
                    "requested_by",
                    models.ForeignKey(
                        db_comment="Who asked for it; empty: the nightly job.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table_comment": "Runs that remove conversations.",
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="ReviewPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(db_comment="What reviewers see as the reason.", max_length=100, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("sample", "A sample of all"),
                            ("feedback", "Answers that were rated bad"),
                            ("refused", "Answers that the model refused"),
                            ("keywords", "Words that were used"),
                            ("cost", "High cost"),
                        ],
                        db_comment="What it looks at.",
                        max_length=8,
                    ),
                ),
                (
                    "percent",
                    models.DecimalField(
                        blank=True,
                        db_comment="Of a sample: how many in a hundred.",
                        decimal_places=2,
                        max_digits=5,
                        null=True,
                    ),
                ),
                (
                    "keywords",
                    models.TextField(
                        blank=True, db_comment="Of keywords: a search query on each line, any of which is enough."
                    ),
                ),
                (
                    "cost",
                    models.DecimalField(
                        blank=True,
                        db_comment="Of high cost: US dollars, from which on.",
                        decimal_places=4,
                        max_digits=12,
                        null=True,
                    ),
                ),
                ("is_enabled", models.BooleanField(db_comment="Brings conversations into the queue.", default=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_comment="When it was made; it looks at what was said since.",
                        default=django.utils.timezone.now,
                        editable=False,
                    ),
                ),
                (
                    "assistant",
                    models.ForeignKey(
                        blank=True,
                        db_comment="Holds for conversations with this assistant alone; empty: for all.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="conversations.assistant",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "review policies",
                "db_table_comment": "Which conversations are to be reviewed.",
            },
        ),
        migrations.CreateModel(
            name="Review",
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
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("claimed", "Claimed"), ("done", "Done")],
                        db_comment="Where it stands.",
                        default="waiting",
                        max_length=7,
                    ),
                ),
                ("claimed_at", models.DateTimeField(blank=True, db_comment="When it was claimed.", null=True)),
                (
                    "verdict",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("fine", "Nothing to object to"),
                            ("concern", "A concern"),
                            ("violation", "A violation"),
                        ],
                        db_comment="What was found.",
                        max_length=9,
                    ),
                ),
                ("note", models.TextField(blank=True, db_comment="What the reviewer wrote about it.")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_comment="When it came into the queue.", default=django.utils.timezone.now, editable=False
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, db_comment="When the verdict was given.", null=True)),
                (
                    "claimed_by",
                    models.ForeignKey(
                        blank=True,
                        db_comment="The reviewer whose it is, or whose verdict it bears.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        db_comment="What is reviewed.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reviews",
                        to="conversations.conversation",
                    ),
                ),
                ("labels", models.ManyToManyField(blank=True, related_name="reviews", to="records.reviewlabel")),
                ("policies", models.ManyToManyField(blank=True, related_name="reviews", to="records.reviewpolicy")),
            ],
            options={
                "db_table_comment": "Reviews of conversations.",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Tombstone",
            fields=[
                (
                    "conversation_id",
                    models.UUIDField(db_comment="The id that the conversation had.", primary_key=True, serialize=False),
                ),
                (
                    "policy_id",
                    models.BigIntegerField(db_comment="Id of the policy that let it go; empty: an erasure.", null=True),
                ),
                ("owner_id", models.BigIntegerField(db_comment="Id of the person whose it was.")),
                ("assistant_id", models.BigIntegerField(db_comment="Id of the assistant.")),
                ("created_at", models.DateTimeField(db_comment="When the conversation began.")),
                ("last_activity_at", models.DateTimeField(db_comment="When something was last said in it.")),
                ("concluded_at", models.DateTimeField(db_comment="When it was concluded.", null=True)),
                ("messages", models.PositiveIntegerField(db_comment="How many prompts and answers it had.")),
                ("generations", models.PositiveIntegerField(db_comment="How many model calls.")),
                ("attachments", models.PositiveIntegerField(db_comment="How many files.")),
                ("attachment_bytes", models.PositiveBigIntegerField(db_comment="How large they were together.")),
                (
                    "input_tokens",
                    models.PositiveBigIntegerField(db_comment="Tokens of input of its calls, as far as known."),
                ),
                ("output_tokens", models.PositiveBigIntegerField(db_comment="Tokens of output.")),
                (
                    "cost",
                    models.DecimalField(
                        db_comment="US dollars, of the calls of known cost.", decimal_places=8, max_digits=16
                    ),
                ),
                ("unpriced_calls", models.PositiveIntegerField(db_comment="How many calls had an unknown cost.")),
                (
                    "sealed_sha256",
                    models.CharField(blank=True, db_comment="The hash of its sealed document, in hex.", max_length=64),
                ),
                ("file_hashes", models.JSONField(db_comment="SHA-256 of its files, in hex.", default=list)),
                (
                    "begun_at",
                    models.DateTimeField(
                        db_comment="When its removal began: from here on nobody sees it, and no hold can save it.",
                        default=django.utils.timezone.now,
                    ),
                ),
                ("removed_at", models.DateTimeField(db_comment="When its last row was gone.", null=True)),
                (
                    "run",
                    models.ForeignKey(
                        db_comment="The run that removed it.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tombstones",
                        to="records.retentionrun",
                    ),
                ),
            ],
            options={
                "db_table_comment": "What is left of removed conversations.",
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="UsageFact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(db_comment="The day, in the zone of the server.")),
                ("owner_id", models.BigIntegerField(db_comment="Id of the person.")),
                ("assistant_id", models.BigIntegerField(db_comment="Id of the assistant.")),
                ("model_id", models.BigIntegerField(db_comment="Id of the model.")),
                ("conversations", models.PositiveIntegerField(db_comment="Conversations that began.", default=0)),
                ("prompts", models.PositiveIntegerField(db_comment="Prompts sent.", default=0)),
                ("answers", models.PositiveIntegerField(db_comment="Answers that ended, however they did.", default=0)),
                ("failed", models.PositiveIntegerField(db_comment="Of these, failed or interrupted ones.", default=0)),
                ("refused", models.PositiveIntegerField(db_comment="Of these, refused ones.", default=0)),
                ("stopped", models.PositiveIntegerField(db_comment="Of these, stopped ones.", default=0)),
                (
                    "calls",
                    models.PositiveIntegerField(
                        db_comment="Model calls: answers, steps, further tries, titles.", default=0
                    ),
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
                ("unpriced_calls", models.PositiveIntegerField(db_comment="Calls of unknown cost.", default=0)),
                (
                    "first_texts",
                    models.PositiveIntegerField(db_comment="Calls of answers with a first text.", default=0),
                ),
                (
                    "first_text_ms",
                    models.PositiveBigIntegerField(
                        db_comment="Milliseconds from the request to the first text, summed over these.", default=0
                    ),
                ),
                (
                    "first_text_histogram",
                    models.JSONField(
                        db_comment="How many of these took up to 0.25, 0.5, 1, 2, 4, 8, 16, 32 s, and longer.",
                        default=list,
                    ),
                ),
                (
                    "thumbs_up",
                    models.PositiveIntegerField(db_comment="Answers of the day that are rated good.", default=0),
                ),
                (
                    "thumbs_down",
                    models.PositiveIntegerField(db_comment="Answers of the day that are rated bad.", default=0),
                ),
            ],
            options={
                "db_table_comment": "Use by day, person, assistant and model; kept by a job, and kept when text is removed.",
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("day", "owner_id", "assistant_id", "model_id"), name="one_fact_per_day"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="bulkexport",
            index=models.Index(
                condition=models.Q(("state", "done")), fields=["expires_at"], name="bulk_export_expiring"
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkexportpart",
            constraint=models.UniqueConstraint(fields=("export", "name"), name="one_part_per_name"),
        ),
        migrations.AddIndex(
            model_name="legalhold",
            index=models.Index(condition=models.Q(("lifted_at__isnull", True)), fields=["user"], name="hold_in_force"),
        ),
        migrations.AddConstraint(
            model_name="legalhold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("conversation__isnull", True), ("user__isnull", False)),
                    models.Q(("conversation__isnull", False), ("user__isnull", True)),
                    _connector="OR",
                ),
                name="hold_is_on_a_person_or_a_conversation",
            ),
        ),
        migrations.AddConstraint(
            model_name="legalhold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lifted_at__isnull", True), ("lifted_by__isnull", True)),
                    models.Q(("lifted_at__isnull", False), ("lifted_by__isnull", False)),
                    _connector="OR",
                ),
                name="lifted_hold_tells_by_whom",
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionpolicy",
            constraint=models.CheckConstraint(condition=models.Q(("days__gte", 1)), name="retention_is_a_day_at_least"),
        ),
        migrations.AddConstraint(
            model_name="retentionrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_dry", False), ("state", "running")),
                fields=("kind", "person_id"),
                name="one_retention_run_at_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "sample"), ("percent__gt", 0), ("percent__lte", 100)),
                    ("kind__in", ["feedback", "refused"]),
                    models.Q(("kind", "keywords"), models.Q(("keywords", ""), _negated=True)),
                    models.Q(("cost__gt", 0), ("kind", "cost")),
                    _connector="OR",
                ),
                name="review_policy_is_whole",
            ),
        ),
        migrations.AddIndex(
            model_name="review",
            index=models.Index(condition=models.Q(("state", "waiting")), fields=["id"], name="review_waiting"),
        ),
        migrations.AddIndex(
            model_name="review",
            index=models.Index(fields=["claimed_by", "state", "-decided_at"], name="review_by_reviewer"),
        ),
        migrations.AddIndex(
            model_name="review",
            index=models.Index(condition=models.Q(("state", "done")), fields=["-decided_at"], name="review_by_time"),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("claimed_at__isnull", True), ("claimed_by__isnull", True), ("state", "waiting")),
                    models.Q(
                        ("claimed_at__isnull", False), ("claimed_by__isnull", False), ("state__in", ["claimed", "done"])
                    ),
                    _connector="OR",
                ),
                name="claimed_review_has_its_reviewer",
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_at__isnull", False), ("state", "done"), models.Q(("verdict", ""), _negated=True)
                    ),
                    models.Q(("decided_at__isnull", True), ("state__in", ["waiting", "claimed"]), ("verdict", "")),
                    _connector="OR",
                ),
                name="review_is_done_with_its_verdict",
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "done"), _negated=True),
                fields=("conversation",),
                name="one_open_review_per_conversation",
            ),
        ),
        migrations.AddIndex(
            model_name="tombstone",
            index=models.Index(
                condition=models.Q(("removed_at__isnull", True)), fields=["begun_at"], name="tombstone_unfinished"
            ),
        ),
        migrations.AddIndex(
            model_name="tombstone",
            index=models.Index(fields=["owner_id"], name="tombstone_by_owner"),
        ),
    ]
