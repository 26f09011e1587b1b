from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("records", "0012_reporting_views")]

    operations = [
        migrations.RemoveConstraint(model_name="usagesum", name="one_sum_per_period"),
        migrations.AddConstraint(
            model_name="usagesum",
            constraint=models.UniqueConstraint(
                fields=("kind", "period", "start", "owner_id", "assistant_id", "model_id"),
                include=("prompts",),
                name="one_sum_per_period",
            ),
        ),
    ]
