from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0001_initial"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="bulkexportpart",
            name="created_at",
        ),
        migrations.AddField(
            model_name="bulkexport",
            name="attempt",
            field=models.PositiveIntegerField(
                db_comment="Which writer holds it; an earlier one changes nothing.", default=0
            ),
        ),
        migrations.AddField(
            model_name="bulkexport",
            name="parts_written",
            field=models.PositiveIntegerField(db_comment="How many parts of conversations are whole.", default=0),
        ),
        migrations.AddField(
            model_name="bulkexport",
            name="tries",
            field=models.PositiveIntegerField(db_comment="How many writers began since it last got on.", default=0),
        ),
        migrations.AddField(
            model_name="bulkexportpart",
            name="written_at",
            field=models.DateTimeField(
                db_comment="When it was verified in storage; empty: on its way there, or left by a writer that died.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="bulkexportpart",
            name="kind",
            field=models.CharField(
                choices=[
                    ("conversations", "Conversations"),
                    ("reviews", "Reviews"),
                    ("file", "File"),
                    ("problems", "Problems"),
                    ("tombstones", "Removed conversations"),
                    ("manifest", "Manifest"),
                ],
                db_comment="What it holds.",
                max_length=13,
            ),
        ),
    ]
