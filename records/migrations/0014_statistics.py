from django.db import migrations

# Of a new column PostgreSQL knows nothing until a tenth of the table has changed. All lists ask for `removal_begun_at`; without
# this it would believe, in a record of years, that the removal of nearly all has begun, and read the whole table.
ANALYSE = "ANALYZE conversations_conversation"


class Migration(migrations.Migration):
    dependencies = [("records", "0013_people_from_the_index"), ("conversations", "0013_removal")]
    operations = [migrations.RunSQL(ANALYSE, migrations.RunSQL.noop)]
