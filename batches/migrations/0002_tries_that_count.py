from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("batches", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="batchitem",
            name="tries",
            field=models.PositiveSmallIntegerField(
                db_comment="How many answers were begun for it; beyond the first those do not count that an outage failed.",
                default=0,
            ),
        ),
    ]
