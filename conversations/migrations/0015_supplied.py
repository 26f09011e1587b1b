from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0014_events_of_owners"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="message",
            name="answers_have_a_parent",
        ),
        migrations.AddField(
            model_name="message",
            name="is_supplied",
            field=models.BooleanField(
                db_comment="A client supplied it as what was said before; no model was called for it by us.",
                db_default=False,
                default=False,
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="options",
            field=models.JSONField(
                blank=True,
                db_comment="What a client gave with a prompt, for the calls that answer it: instructions, which follow the assistant's own, and parameters.",
                null=True,
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(("role", "user"), ("parent__isnull", False), ("is_supplied", True), _connector="OR"),
                name="answers_have_a_parent",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_supplied", False), ("status", "completed"), _connector="OR"),
                name="supplied_messages_are_completed",
            ),
        ),
    ]
