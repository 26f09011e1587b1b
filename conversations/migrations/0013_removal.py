import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0012_times"),
    ]

    operations = [
        migrations.AddField(
            model_name="conversation",
            name="removal_begun_at",
            field=models.DateTimeField(
                blank=True,
                db_comment="When its removal for good began: from then on nobody sees it, and nothing brings it back.",
                editable=False,
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="conversation",
            name="continued_from",
            field=models.ForeignKey(
                blank=True,
                db_comment="The concluded conversation that it goes on from, which may be removed by now; its first messages repeat that one's.",
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="continuations",
                to="conversations.conversation",
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="conversation",
            field=models.ForeignKey(
                db_comment="The conversation it is about, which may be removed by now.",
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="conversations.conversation",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="copy_of",
            field=models.ForeignKey(
                db_comment="The message of a concluded conversation that it repeats, which may be removed by now; no model was called for it.",
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="conversations.message",
            ),
        ),
    ]
