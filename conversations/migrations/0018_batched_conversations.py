from django.conf import settings
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0017_token_of_retries"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="conversation",
            name="is_batched",
            field=models.BooleanField(
                db_comment="A batch began it: it stays out of its owner's rail until they look at it or say more in it.",
                db_default=False,
                default=False,
                editable=False,
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=Q(
                    ("hidden_at__isnull", True),
                    ("pinned_at__isnull", True),
                    Q(("is_batched", False), ("seen_at__isnull", False), _connector="OR"),
                ),
                fields=["owner", "-last_activity_at", "-id"],
                name="conversation_rail",
            ),
        ),
    ]
