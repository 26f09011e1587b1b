from django.db import migrations

# Once, for what was said before there were marks: the job takes them in, the newest conversations first.
ALL = """
INSERT INTO records_staleconversation (conversation_id) SELECT id FROM conversations_conversation ORDER BY id DESC
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0006_marks_of_changes")]
    operations = [migrations.RunSQL(ALL, migrations.RunSQL.noop)]
