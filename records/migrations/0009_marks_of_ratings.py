from django.db import migrations

# A rating counts for the day of its answer, however much later it is given, changed or taken back. What else counts for a
# day leaves a row of that time or is waited for; a rating that was taken back leaves nothing.
MARKS = """
CREATE FUNCTION records_mark_rated_day() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO records_usagechange (at)
    SELECT created_at FROM conversations_message WHERE id IN (OLD.message_id, NEW.message_id);
    RETURN NULL;
END $$;
CREATE TRIGGER records_rated_day AFTER INSERT OR DELETE OR UPDATE OF message_id, rating ON conversations_feedback
    FOR EACH ROW EXECUTE FUNCTION records_mark_rated_day();
"""
NO_MARKS = """
DROP TRIGGER records_rated_day ON conversations_feedback;
DROP FUNCTION records_mark_rated_day();
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0008_usage_sums")]
    operations = [migrations.RunSQL(MARKS, NO_MARKS)]
