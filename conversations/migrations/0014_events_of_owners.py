import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Events have named the owner in their data from the first one on.
FILL = """
UPDATE conversations_event AS event SET owner_id = coalesce(
    (SELECT owner_id FROM conversations_conversation WHERE id = event.conversation_id),
    (event.data->>'owner')::bigint
)
"""


def _owner(**options: object) -> models.Field:
    return models.ForeignKey(
        db_comment="Whose conversation it is.",
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
        **options,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0013_removal"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("event", "owner", _owner(null=True)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField("event", "owner", _owner()),
        migrations.AlterField(
            model_name="event",
            name="kind",
            field=models.CharField(
                choices=[
                    ("conversation.concluded", "Conversation concluded"),
                    ("conversation.removed", "Conversation removed"),
                ],
                db_comment="What happened, such as conversation.concluded.",
                max_length=40,
            ),
        ),
        migrations.AddIndex("event", models.Index(fields=["owner", "seq"], name="event_owner_seq")),
        migrations.AddIndex("event", models.Index(fields=["kind", "seq"], name="event_kind_seq")),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.UniqueConstraint(
                condition=models.Q(kind="conversation.removed"), fields=("conversation",), name="one_removed_event"
            ),
        ),
    ]
