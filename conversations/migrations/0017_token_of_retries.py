from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0016_message_of_owner"),
    ]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="client_token",
            field=models.UUIDField(
                blank=True,
                db_comment="Made by the client, once per prompt or retry: a double submit is one message.",
                null=True,
            ),
        ),
    ]
