import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("conversations", "0013_removal"),
        ("records", "0009_marks_of_ratings"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="retentionrun",
            options={"default_permissions": ("view",), "permissions": [("erase_person", "Can erase a person")]},
        ),
        migrations.AddField(
            model_name="legalhold",
            name="lift_reason",
            field=models.CharField(blank=True, db_comment="Why it was lifted.", max_length=500),
        ),
        migrations.AlterField(
            model_name="legalhold",
            name="conversation",
            field=models.ForeignKey(
                blank=True,
                db_comment="The conversation that stays; it may be removed once the hold is lifted.",
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="holds",
                to="conversations.conversation",
            ),
        ),
        migrations.AlterField(
            model_name="retentionpolicy",
            name="days",
            field=models.PositiveIntegerField(
                db_comment="How many days a conversation is kept.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(36500),
                ],
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(("days__lte", 36500)), name="retention_is_a_century_at_most"
            ),
        ),
    ]
