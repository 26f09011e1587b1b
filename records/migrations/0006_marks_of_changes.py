from django.db import migrations

# Whatever may change the sums of a conversation leaves a mark, in the transaction that changes it: new rows by statement,
# changed ones where a column that counts has changed. A mark waits for nobody, so that no writer does. What goes away
# with its whole conversation needs none.
MARKS = """
CREATE FUNCTION records_mark_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO records_staleconversation (conversation_id)
    SELECT DISTINCT conversation_id FROM added WHERE conversation_id IS NOT NULL;
    RETURN NULL;
END $$;
CREATE FUNCTION records_mark_begun() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO records_staleconversation (conversation_id) SELECT id FROM added;
    RETURN NULL;
END $$;
CREATE FUNCTION records_mark_active() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO records_staleconversation (conversation_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE FUNCTION records_mark_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.conversation_id IS NOT NULL THEN
        INSERT INTO records_staleconversation (conversation_id) VALUES (NEW.conversation_id);
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION records_mark_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO records_staleconversation (conversation_id)
    SELECT DISTINCT conversation_id FROM conversations_message WHERE id IN (OLD.message_id, NEW.message_id);
    RETURN NULL;
END $$;

CREATE TRIGGER records_begun AFTER INSERT ON conversations_conversation
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION records_mark_begun();
CREATE TRIGGER records_active AFTER UPDATE OF last_activity_at ON conversations_conversation
    FOR EACH ROW WHEN (OLD.last_activity_at IS DISTINCT FROM NEW.last_activity_at)
    EXECUTE FUNCTION records_mark_active();
CREATE TRIGGER records_added AFTER INSERT ON conversations_message
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION records_mark_added();
CREATE TRIGGER records_changed AFTER UPDATE OF status, role, conversation_id ON conversations_message
    FOR EACH ROW WHEN ((OLD.status, OLD.role, OLD.conversation_id) IS DISTINCT FROM
        (NEW.status, NEW.role, NEW.conversation_id) AND NEW.status <> 'streaming')
    EXECUTE FUNCTION records_mark_changed();
CREATE TRIGGER records_added AFTER INSERT ON conversations_generation
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION records_mark_added();
CREATE TRIGGER records_changed AFTER UPDATE OF status, model_id, conversation_id, input_tokens, output_tokens, cost
    ON conversations_generation
    FOR EACH ROW WHEN (
        (OLD.status, OLD.model_id, OLD.conversation_id, OLD.input_tokens, OLD.output_tokens, OLD.cost) IS DISTINCT FROM
        (NEW.status, NEW.model_id, NEW.conversation_id, NEW.input_tokens, NEW.output_tokens, NEW.cost)
        AND NEW.status <> 'running')
    EXECUTE FUNCTION records_mark_changed();
CREATE TRIGGER records_filed AFTER INSERT OR DELETE OR UPDATE OF message_id, state ON conversations_attachment
    FOR EACH ROW EXECUTE FUNCTION records_mark_message();
CREATE TRIGGER records_rated AFTER INSERT OR DELETE OR UPDATE OF message_id, rating ON conversations_feedback
    FOR EACH ROW EXECUTE FUNCTION records_mark_message();
"""
NO_MARKS = """
DROP TRIGGER records_rated ON conversations_feedback;
DROP TRIGGER records_filed ON conversations_attachment;
DROP TRIGGER records_changed ON conversations_generation;
DROP TRIGGER records_added ON conversations_generation;
DROP TRIGGER records_changed ON conversations_message;
DROP TRIGGER records_added ON conversations_message;
DROP TRIGGER records_active ON conversations_conversation;
DROP TRIGGER records_begun ON conversations_conversation;
DROP FUNCTION records_mark_message();
DROP FUNCTION records_mark_changed();
DROP FUNCTION records_mark_active();
DROP FUNCTION records_mark_begun();
DROP FUNCTION records_mark_added();
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0005_conversation_sums"), ("conversations", "0010_ratings")]
    operations = [migrations.RunSQL(MARKS, NO_MARKS)]
