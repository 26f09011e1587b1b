"""Each answer names its assistant, as a conversation may be answered by several in turn."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0007_concluding"),
    ]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="assistant",
            field=models.ForeignKey(
                db_comment=(
                    "Who answers here; empty for prompts, and for answers of before this was noted: the conversation's."
                ),
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="conversations.assistant",
            ),
        ),
    ]
