from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0006_usage_of_earlier_calls")]

    operations = [
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("state", "open")), fields=["last_activity_at"], name="conversation_open"
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("state", "concluded")), fields=["id"], name="conversation_concluded"
            ),
        ),
    ]
