from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("records", "0010_retention")]

    operations = [
        migrations.AlterModelTableComment(
            name="usagesum",
            table_comment="Use by month and year: sums of the days, of three kinds that each hold all of it.",
        ),
        migrations.RemoveConstraint(model_name="usagesum", name="one_sum_per_period"),
        migrations.AddField(
            model_name="usagesum",
            name="kind",
            field=models.CharField(
                choices=[
                    ("each", "Of each person with each assistant and model"),
                    ("person", "Of each person"),
                    ("service", "Of each assistant and model"),
                ],
                db_comment="What is told apart: each, person or service.",
                default="each",
                max_length=7,
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="usagesum",
            name="assistant_id",
            field=models.BigIntegerField(db_comment="Id of the assistant; 0: none, or all where not told apart."),
        ),
        migrations.AlterField(
            model_name="usagesum",
            name="model_id",
            field=models.BigIntegerField(db_comment="Id of the model; 0: none, or all where not told apart."),
        ),
        migrations.AlterField(
            model_name="usagesum",
            name="owner_id",
            field=models.BigIntegerField(db_comment="Id of the person; 0: nobody, or everybody where not told apart."),
        ),
        migrations.AddConstraint(
            model_name="usagesum",
            constraint=models.UniqueConstraint(
                fields=("kind", "period", "start", "owner_id", "assistant_id", "model_id"), name="one_sum_per_period"
            ),
        ),
    ]
