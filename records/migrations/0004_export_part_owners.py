from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0003_review_reasons"),
    ]

    operations = [
        migrations.AddField(
            model_name="bulkexportpart",
            name="owners",
            field=models.JSONField(
                db_comment="Of conversations and their reviews: ids of the people whose these are.", default=list
            ),
        ),
    ]
