from django.db import migrations

COLUMNS = """
    message.id AS message_id,
    message.conversation_id,
    message.owner_id AS person_id,
    CASE WHEN message.role = 'assistant' THEN coalesce(message.assistant_id, conversation.assistant_id) END AS assistant_id,
    message.parent_id,
    message.copy_of_id,
    message.role::text AS role,
    message.status::text AS status,
    length(message.text) AS characters,
    nullif(message.error_code, '') AS error_code,
    message.created_at,
    message.finished_at"""
ROWS = """
FROM conversations_message AS message
JOIN conversations_conversation AS conversation ON conversation.id = message.conversation_id
WHERE conversation.removal_begun_at IS NULL;
"""
# PostgreSQL lets a view grow at its end, but not shrink.
WITH_SUPPLIED = f"""
CREATE OR REPLACE VIEW reporting_message AS SELECT{COLUMNS},
    message.is_supplied{ROWS}
COMMENT ON COLUMN reporting_message.is_supplied IS 'A client supplied it as what was said before: no model was called for it here.';
"""
WITHOUT_SUPPLIED = f"""
DROP VIEW reporting_message;
CREATE VIEW reporting_message AS SELECT{COLUMNS}{ROWS}
COMMENT ON VIEW reporting_message IS 'Prompts and answers, without their text.';
"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0015_supplied"), ("records", "0014_statistics")]
    operations = [migrations.RunSQL(WITH_SUPPLIED, WITHOUT_SUPPLIED)]
