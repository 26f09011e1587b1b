from django.db import migrations

# The views for reading tools of others: docs/reporting.md, which has the same words as the comments. None holds a secret,
# and none but reporting_message_text what people wrote. What is being removed is in none of them.
#
# PostgreSQL refuses to drop a column that a view shows, or to change its type. A migration that has to drops the views
# before (NO_VIEWS), and makes them anew afterwards.
VIEWS = """
CREATE VIEW reporting_person AS SELECT
    person.id AS person_id,
    person.username::text AS username,
    coalesce(nullif(trim(person.first_name || ' ' || person.last_name), ''), person.username) AS name,
    person.email::text AS email,
    person.is_active,
    person.is_staff,
    person.date_joined AS joined_at,
    person.last_login AS last_sign_in_at
FROM accounts_user AS person;
COMMENT ON VIEW reporting_person IS 'People who may sign in, or could once.';
COMMENT ON COLUMN reporting_person.person_id IS 'Id of the person, by which all other views name them.';
COMMENT ON COLUMN reporting_person.username IS 'The name they sign in with.';
COMMENT ON COLUMN reporting_person.name IS 'Their full name; the username where none was given.';
COMMENT ON COLUMN reporting_person.email IS 'Their e-mail address.';
COMMENT ON COLUMN reporting_person.is_active IS 'May sign in.';
COMMENT ON COLUMN reporting_person.is_staff IS 'May enter the back office.';
COMMENT ON COLUMN reporting_person.joined_at IS 'When the account was made.';
COMMENT ON COLUMN reporting_person.last_sign_in_at IS 'When they last signed in; empty: never.';

CREATE VIEW reporting_membership AS SELECT
    membership.user_id AS person_id,
    "group".id AS group_id,
    "group".name::text AS group_name
FROM accounts_user_groups AS membership JOIN auth_group AS "group" ON "group".id = membership.group_id;
COMMENT ON VIEW reporting_membership IS 'Who is in which group today: a row for each person and group.';
COMMENT ON COLUMN reporting_membership.person_id IS 'Id of the person.';
COMMENT ON COLUMN reporting_membership.group_id IS 'Id of the group.';
COMMENT ON COLUMN reporting_membership.group_name IS 'The group''s name.';

CREATE VIEW reporting_assistant AS SELECT
    assistant.id AS assistant_id,
    assistant.slug::text AS slug,
    assistant.name::text AS name,
    assistant.model_id,
    assistant.is_enabled
FROM conversations_assistant AS assistant;
COMMENT ON VIEW reporting_assistant IS 'Assistants, also such as are retired. Their instructions are left out.';
COMMENT ON COLUMN reporting_assistant.assistant_id IS 'Id of the assistant.';
COMMENT ON COLUMN reporting_assistant.slug IS 'Its stable name in addresses.';
COMMENT ON COLUMN reporting_assistant.name IS 'What people see.';
COMMENT ON COLUMN reporting_assistant.model_id IS 'Id of the model that answers; empty: the one of the setting DEFAULT_MODEL.';
COMMENT ON COLUMN reporting_assistant.is_enabled IS 'May be used for new messages.';

CREATE VIEW reporting_model AS SELECT
    model.id AS model_id,
    model.name::text AS name,
    model.label::text AS label,
    model.context_window,
    model.max_output_tokens,
    model.accepts_images,
    model.accepts_files,
    model.is_local,
    model.is_enabled,
    model.is_offered,
    model.shutdown_date,
    model.replacement_id,
    price.valid_from AS price_since,
    price.input_price,
    price.cached_input_price,
    price.output_price
FROM conversations_languagemodel AS model
LEFT JOIN LATERAL (
    SELECT valid_from, input_price, cached_input_price, output_price FROM conversations_modelprice
    WHERE model_id = model.id AND valid_from <= current_date ORDER BY valid_from DESC LIMIT 1
) AS price ON true;
COMMENT ON VIEW reporting_model IS 'Models, with the price that is in force today.';
COMMENT ON COLUMN reporting_model.model_id IS 'Id of the model.';
COMMENT ON COLUMN reporting_model.name IS 'The provider''s name of it.';
COMMENT ON COLUMN reporting_model.label IS 'What people see.';
COMMENT ON COLUMN reporting_model.context_window IS 'Tokens that input and output share.';
COMMENT ON COLUMN reporting_model.max_output_tokens IS 'The most tokens that one answer may have.';
COMMENT ON COLUMN reporting_model.accepts_images IS 'Can be shown images.';
COMMENT ON COLUMN reporting_model.accepts_files IS 'Can be given documents.';
COMMENT ON COLUMN reporting_model.is_local IS 'Runs on a machine of ours, and costs nothing by the token.';
COMMENT ON COLUMN reporting_model.is_enabled IS 'May be used for new answers.';
COMMENT ON COLUMN reporting_model.is_offered IS 'People may choose it themselves.';
COMMENT ON COLUMN reporting_model.shutdown_date IS 'The day on which the provider ends it.';
COMMENT ON COLUMN reporting_model.replacement_id IS 'Id of the model to use instead after that day.';
COMMENT ON COLUMN reporting_model.price_since IS 'From which day on the price holds; empty: no price is known.';
COMMENT ON COLUMN reporting_model.input_price IS 'US dollars per million tokens of input.';
COMMENT ON COLUMN reporting_model.cached_input_price IS 'US dollars per million tokens of input that the provider had cached.';
COMMENT ON COLUMN reporting_model.output_price IS 'US dollars per million tokens of output.';

CREATE VIEW reporting_conversation AS SELECT
    conversation.id AS conversation_id,
    conversation.owner_id AS person_id,
    conversation.assistant_id,
    conversation.model_id,
    conversation.state::text AS state,
    conversation.created_at,
    conversation.last_activity_at,
    conversation.concluded_at,
    nullif(conversation.concluded_by, '') AS concluded_by,
    conversation.hidden_at IS NOT NULL AS is_hidden,
    conversation.continued_from_id,
    fact.messages,
    fact.answers,
    fact.failed,
    fact.refused,
    fact.stopped,
    fact.cut_off,
    fact.files,
    fact.thumbs_up,
    fact.thumbs_down,
    fact.tokens,
    fact.cost,
    fact.unpriced_calls
FROM conversations_conversation AS conversation
LEFT JOIN records_conversationfact AS fact ON fact.conversation_id = conversation.id
WHERE conversation.removal_begun_at IS NULL;
COMMENT ON VIEW reporting_conversation IS 'Conversations, with their sums. Titles are text, and left out.';
COMMENT ON COLUMN reporting_conversation.conversation_id IS 'Id of the conversation.';
COMMENT ON COLUMN reporting_conversation.person_id IS 'Id of the person whose it is.';
COMMENT ON COLUMN reporting_conversation.assistant_id IS 'Id of the assistant that answers next.';
COMMENT ON COLUMN reporting_conversation.model_id IS 'Id of the model that its owner chose for it; empty: the assistant''s.';
COMMENT ON COLUMN reporting_conversation.state IS 'open or concluded.';
COMMENT ON COLUMN reporting_conversation.created_at IS 'When it began.';
COMMENT ON COLUMN reporting_conversation.last_activity_at IS 'When something was last said in it.';
COMMENT ON COLUMN reporting_conversation.concluded_at IS 'When it was concluded.';
COMMENT ON COLUMN reporting_conversation.concluded_by IS 'Who concluded it: owner or policy.';
COMMENT ON COLUMN reporting_conversation.is_hidden IS 'Its owner deleted it, which puts it out of their sight alone.';
COMMENT ON COLUMN reporting_conversation.continued_from_id IS 'Id of the concluded conversation that it goes on from, which may be removed by now.';
COMMENT ON COLUMN reporting_conversation.messages IS 'Prompts and answers, on all branches. This and the sums below are up to a minute behind; empty: not reckoned yet.';
COMMENT ON COLUMN reporting_conversation.answers IS 'Answers.';
COMMENT ON COLUMN reporting_conversation.failed IS 'Answers that failed or were interrupted.';
COMMENT ON COLUMN reporting_conversation.refused IS 'Answers that the model refused.';
COMMENT ON COLUMN reporting_conversation.stopped IS 'Answers that their owner stopped.';
COMMENT ON COLUMN reporting_conversation.cut_off IS 'Answers that were cut off.';
COMMENT ON COLUMN reporting_conversation.files IS 'Files.';
COMMENT ON COLUMN reporting_conversation.thumbs_up IS 'Answers rated good.';
COMMENT ON COLUMN reporting_conversation.thumbs_down IS 'Answers rated bad.';
COMMENT ON COLUMN reporting_conversation.tokens IS 'Tokens of input and output, as far as known.';
COMMENT ON COLUMN reporting_conversation.cost IS 'US dollars, of the calls of known cost.';
COMMENT ON COLUMN reporting_conversation.unpriced_calls IS 'Calls of unknown cost.';

CREATE VIEW reporting_message AS SELECT
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
    message.finished_at
FROM conversations_message AS message
JOIN conversations_conversation AS conversation ON conversation.id = message.conversation_id
WHERE conversation.removal_begun_at IS NULL;
COMMENT ON VIEW reporting_message IS 'Prompts and answers, without their text.';
COMMENT ON COLUMN reporting_message.message_id IS 'Id of the message.';
COMMENT ON COLUMN reporting_message.conversation_id IS 'Id of the conversation.';
COMMENT ON COLUMN reporting_message.person_id IS 'Id of the person whose it is.';
COMMENT ON COLUMN reporting_message.assistant_id IS 'Id of the assistant that answers; empty for prompts.';
COMMENT ON COLUMN reporting_message.parent_id IS 'Id of the message before it; siblings are edits and retries.';
COMMENT ON COLUMN reporting_message.copy_of_id IS 'Id of the message of a concluded conversation that it repeats, which may be removed by now: not said anew.';
COMMENT ON COLUMN reporting_message.role IS 'Who speaks: user or assistant.';
COMMENT ON COLUMN reporting_message.status IS 'queued, streaming, completed, incomplete, refused, stopped, failed or interrupted; a prompt is completed.';
COMMENT ON COLUMN reporting_message.characters IS 'How long its text is; 0 while an answer is written.';
COMMENT ON COLUMN reporting_message.error_code IS 'Why an answer failed, as a code.';
COMMENT ON COLUMN reporting_message.created_at IS 'When it was committed.';
COMMENT ON COLUMN reporting_message.finished_at IS 'When an answer ended, however it did.';

CREATE VIEW reporting_message_text AS SELECT
    message.id AS message_id,
    message.conversation_id,
    message.text
FROM conversations_message AS message
JOIN conversations_conversation AS conversation ON conversation.id = message.conversation_id
WHERE conversation.removal_begun_at IS NULL;
COMMENT ON VIEW reporting_message_text IS 'What was said: the text of prompts and answers. The one view that holds any; grant it apart.';
COMMENT ON COLUMN reporting_message_text.message_id IS 'Id of the message.';
COMMENT ON COLUMN reporting_message_text.conversation_id IS 'Id of the conversation.';
COMMENT ON COLUMN reporting_message_text.text IS 'The whole text, in Markdown; empty while an answer is written.';

CREATE VIEW reporting_generation AS SELECT
    generation.id AS generation_id,
    generation.conversation_id,
    generation.message_id,
    coalesce(conversation.owner_id, trial.asked_by_id) AS person_id,
    generation.purpose::text AS purpose,
    generation.step,
    generation.attempt,
    generation.status::text AS status,
    generation.model_id,
    generation.model_asked::text AS model_asked,
    nullif(generation.model_answered, '') AS model_answered,
    generation.omitted_messages,
    generation.input_tokens,
    generation.cached_tokens,
    generation.output_tokens,
    generation.reasoning_tokens,
    nullif(generation.usage_source, '') AS usage_source,
    generation.cost,
    nullif(generation.finish_reason, '') AS finish_reason,
    nullif(generation.error_code, '') AS error_code,
    generation.created_at,
    generation.started_at,
    generation.first_text_at,
    generation.finished_at,
    round(extract(epoch FROM generation.first_text_at - generation.started_at) * 1000)::bigint AS first_text_ms,
    round(extract(epoch FROM generation.finished_at - generation.started_at) * 1000)::bigint AS total_ms
FROM conversations_generation AS generation
LEFT JOIN conversations_conversation AS conversation ON conversation.id = generation.conversation_id
LEFT JOIN conversations_trial AS trial ON trial.generation_id = generation.id
WHERE conversation.removal_begun_at IS NULL;
COMMENT ON VIEW reporting_generation IS 'Model calls: answers, their further steps and tries, titles, and what was tried out in the back office.';
COMMENT ON COLUMN reporting_generation.generation_id IS 'Id of the call.';
COMMENT ON COLUMN reporting_generation.conversation_id IS 'Id of the conversation; empty for what was tried out.';
COMMENT ON COLUMN reporting_generation.message_id IS 'Id of the answer; empty for titles and for what was tried out.';
COMMENT ON COLUMN reporting_generation.person_id IS 'Id of the person whose conversation it is, or who tried it out.';
COMMENT ON COLUMN reporting_generation.purpose IS 'answer, title, preview or test.';
COMMENT ON COLUMN reporting_generation.step IS 'Which call of an answer that takes several.';
COMMENT ON COLUMN reporting_generation.attempt IS 'Which try of that call.';
COMMENT ON COLUMN reporting_generation.status IS 'pending, running, completed, incomplete, refused, stopped, failed or interrupted.';
COMMENT ON COLUMN reporting_generation.model_id IS 'Id of the model that was asked.';
COMMENT ON COLUMN reporting_generation.model_asked IS 'The model''s name as sent.';
COMMENT ON COLUMN reporting_generation.model_answered IS 'The model''s name as the provider gave it.';
COMMENT ON COLUMN reporting_generation.omitted_messages IS 'How many older messages did not fit and were left out.';
COMMENT ON COLUMN reporting_generation.input_tokens IS 'Tokens of input, cached ones included; empty: unknown.';
COMMENT ON COLUMN reporting_generation.cached_tokens IS 'Of these, cached ones.';
COMMENT ON COLUMN reporting_generation.output_tokens IS 'Tokens of output, reasoning included; empty: unknown.';
COMMENT ON COLUMN reporting_generation.reasoning_tokens IS 'Of these, spent on reasoning.';
COMMENT ON COLUMN reporting_generation.usage_source IS 'exact: as the provider counted; estimated; empty: unknown.';
COMMENT ON COLUMN reporting_generation.cost IS 'US dollars; empty: unknown, which is not 0.';
COMMENT ON COLUMN reporting_generation.finish_reason IS 'Why it was cut off, as the provider says.';
COMMENT ON COLUMN reporting_generation.error_code IS 'Why it failed, as a code.';
COMMENT ON COLUMN reporting_generation.created_at IS 'When the call was planned.';
COMMENT ON COLUMN reporting_generation.started_at IS 'When the request was sent; empty: it never was.';
COMMENT ON COLUMN reporting_generation.first_text_at IS 'When the first text arrived.';
COMMENT ON COLUMN reporting_generation.finished_at IS 'When the call ended, however it did.';
COMMENT ON COLUMN reporting_generation.first_text_ms IS 'Milliseconds from the request to the first text of this call.';
COMMENT ON COLUMN reporting_generation.total_ms IS 'Milliseconds from the request to the end of this call.';

CREATE VIEW reporting_attachment AS SELECT
    attachment.id AS attachment_id,
    attachment.message_id,
    message.conversation_id,
    attachment.owner_id AS person_id,
    attachment.origin::text AS origin,
    attachment.state::text AS state,
    attachment.content_type::text AS content_type,
    attachment.size AS bytes,
    attachment.width,
    attachment.height,
    attachment.created_at,
    attachment.ready_at
FROM conversations_attachment AS attachment
JOIN conversations_message AS message ON message.id = attachment.message_id
JOIN conversations_conversation AS conversation ON conversation.id = message.conversation_id
WHERE conversation.removal_begun_at IS NULL;
COMMENT ON VIEW reporting_attachment IS 'Files of messages. Names and bytes are left out.';
COMMENT ON COLUMN reporting_attachment.attachment_id IS 'Id of the file.';
COMMENT ON COLUMN reporting_attachment.message_id IS 'Id of the message that carries it.';
COMMENT ON COLUMN reporting_attachment.conversation_id IS 'Id of the conversation.';
COMMENT ON COLUMN reporting_attachment.person_id IS 'Id of the person whose it is.';
COMMENT ON COLUMN reporting_attachment.origin IS 'Who made it: user or model.';
COMMENT ON COLUMN reporting_attachment.state IS 'pending, ready, failed or deleted.';
COMMENT ON COLUMN reporting_attachment.content_type IS 'The type that its bytes were found to have.';
COMMENT ON COLUMN reporting_attachment.bytes IS 'How large it is; empty until it is ready.';
COMMENT ON COLUMN reporting_attachment.width IS 'Pixels, of an image.';
COMMENT ON COLUMN reporting_attachment.height IS 'Pixels, of an image.';
COMMENT ON COLUMN reporting_attachment.created_at IS 'When it came.';
COMMENT ON COLUMN reporting_attachment.ready_at IS 'When it was verified in storage.';

CREATE VIEW reporting_feedback AS SELECT
    feedback.id AS feedback_id,
    feedback.message_id,
    message.conversation_id,
    feedback.user_id AS person_id,
    coalesce(message.assistant_id, conversation.assistant_id) AS assistant_id,
    feedback.rating::text AS rating,
    feedback.reason <> '' AS has_reason,
    feedback.created_at,
    feedback.updated_at
FROM conversations_feedback AS feedback
JOIN conversations_message AS message ON message.id = feedback.message_id
JOIN conversations_conversation AS conversation ON conversation.id = message.conversation_id
WHERE conversation.removal_begun_at IS NULL;
COMMENT ON VIEW reporting_feedback IS 'Ratings of answers that stand. Their reasons are text, and left out.';
COMMENT ON COLUMN reporting_feedback.feedback_id IS 'Id of the rating.';
COMMENT ON COLUMN reporting_feedback.message_id IS 'Id of the answer.';
COMMENT ON COLUMN reporting_feedback.conversation_id IS 'Id of the conversation.';
COMMENT ON COLUMN reporting_feedback.person_id IS 'Id of the person who rates.';
COMMENT ON COLUMN reporting_feedback.assistant_id IS 'Id of the assistant that answered.';
COMMENT ON COLUMN reporting_feedback.rating IS 'up or down.';
COMMENT ON COLUMN reporting_feedback.has_reason IS 'The person wrote why.';
COMMENT ON COLUMN reporting_feedback.created_at IS 'When it was first rated.';
COMMENT ON COLUMN reporting_feedback.updated_at IS 'When the rating was last changed.';

CREATE VIEW reporting_review AS SELECT
    review.id AS review_id,
    review.conversation_id,
    review.state::text AS state,
    review.claimed_by_id AS reviewer_id,
    nullif(review.verdict, '') AS verdict,
    (
        SELECT string_agg(label.name, '; ' ORDER BY label.name) FROM records_review_labels AS put
        JOIN records_reviewlabel AS label ON label.id = put.reviewlabel_id WHERE put.review_id = review.id
    ) AS labels,
    (
        SELECT string_agg(policy.name, '; ' ORDER BY policy.name) FROM records_reviewpolicy AS policy
        WHERE policy.id IN (SELECT policy_id FROM records_reviewreason WHERE review_id = review.id)
    ) AS policies,
    review.created_at,
    review.claimed_at,
    review.decided_at
FROM records_review AS review
JOIN conversations_conversation AS conversation ON conversation.id = review.conversation_id
WHERE conversation.removal_begun_at IS NULL;
COMMENT ON VIEW reporting_review IS 'Reviews of conversations. Notes are text, and left out.';
COMMENT ON COLUMN reporting_review.review_id IS 'Id of the review.';
COMMENT ON COLUMN reporting_review.conversation_id IS 'Id of the conversation.';
COMMENT ON COLUMN reporting_review.state IS 'waiting, claimed or done.';
COMMENT ON COLUMN reporting_review.reviewer_id IS 'Id of the person whose it is, or whose verdict it bears.';
COMMENT ON COLUMN reporting_review.verdict IS 'fine, concern or violation; empty: none yet.';
COMMENT ON COLUMN reporting_review.labels IS 'The names of its labels, with semicolons between them.';
COMMENT ON COLUMN reporting_review.policies IS 'The names of the policies that brought it into the queue, with semicolons between them.';
COMMENT ON COLUMN reporting_review.created_at IS 'When it came into the queue.';
COMMENT ON COLUMN reporting_review.claimed_at IS 'When it was claimed.';
COMMENT ON COLUMN reporting_review.decided_at IS 'When the verdict was given.';

CREATE VIEW reporting_usage_daily AS SELECT
    fact.day,
    fact.owner_id AS person_id,
    fact.assistant_id,
    fact.model_id,
    sum(fact.conversations)::bigint AS conversations,
    sum(fact.prompts)::bigint AS prompts,
    sum(fact.answers)::bigint AS answers,
    sum(fact.failed)::bigint AS failed,
    sum(fact.refused)::bigint AS refused,
    sum(fact.stopped)::bigint AS stopped,
    sum(fact.cut_off)::bigint AS cut_off,
    sum(fact.calls)::bigint AS calls,
    sum(fact.estimated_calls)::bigint AS estimated_calls,
    sum(fact.unpriced_calls)::bigint AS unpriced_calls,
    sum(fact.input_tokens)::bigint AS input_tokens,
    sum(fact.cached_tokens)::bigint AS cached_tokens,
    sum(fact.output_tokens)::bigint AS output_tokens,
    sum(fact.reasoning_tokens)::bigint AS reasoning_tokens,
    sum(fact.cost) AS cost,
    sum(fact.first_texts)::bigint AS first_texts,
    sum(fact.first_text_ms)::bigint AS first_text_ms,
    sum(fact.first_text_250ms)::bigint AS first_text_250ms,
    sum(fact.first_text_500ms)::bigint AS first_text_500ms,
    sum(fact.first_text_1s)::bigint AS first_text_1s,
    sum(fact.first_text_2s)::bigint AS first_text_2s,
    sum(fact.first_text_4s)::bigint AS first_text_4s,
    sum(fact.first_text_8s)::bigint AS first_text_8s,
    sum(fact.first_text_16s)::bigint AS first_text_16s,
    sum(fact.first_text_32s)::bigint AS first_text_32s,
    sum(fact.first_text_longer)::bigint AS first_text_longer,
    sum(fact.thumbs_up)::bigint AS thumbs_up,
    sum(fact.thumbs_down)::bigint AS thumbs_down
FROM records_usagefact AS fact
GROUP BY fact.day, fact.owner_id, fact.assistant_id, fact.model_id;
COMMENT ON VIEW reporting_usage_daily IS 'Use by day, person, assistant and model. It holds what retention has removed as well, so that its sums stay.';
COMMENT ON COLUMN reporting_usage_daily.day IS 'The day, in the time zone of the server.';
COMMENT ON COLUMN reporting_usage_daily.person_id IS 'Id of the person; 0: calls of nobody.';
COMMENT ON COLUMN reporting_usage_daily.assistant_id IS 'Id of the assistant; 0: none.';
COMMENT ON COLUMN reporting_usage_daily.model_id IS 'Id of the model; 0: none was called.';
COMMENT ON COLUMN reporting_usage_daily.conversations IS 'Conversations that began.';
COMMENT ON COLUMN reporting_usage_daily.prompts IS 'Prompts sent.';
COMMENT ON COLUMN reporting_usage_daily.answers IS 'Answers that ended, however they did.';
COMMENT ON COLUMN reporting_usage_daily.failed IS 'Of these, failed or interrupted ones.';
COMMENT ON COLUMN reporting_usage_daily.refused IS 'Of these, refused ones.';
COMMENT ON COLUMN reporting_usage_daily.stopped IS 'Of these, stopped ones.';
COMMENT ON COLUMN reporting_usage_daily.cut_off IS 'Of these, ones that were cut off.';
COMMENT ON COLUMN reporting_usage_daily.calls IS 'Model calls that used something: answers, steps, further tries, titles.';
COMMENT ON COLUMN reporting_usage_daily.estimated_calls IS 'Of these, ones whose tokens are an estimate.';
COMMENT ON COLUMN reporting_usage_daily.unpriced_calls IS 'Of these, ones whose cost is unknown.';
COMMENT ON COLUMN reporting_usage_daily.input_tokens IS 'Tokens of input, cached ones included.';
COMMENT ON COLUMN reporting_usage_daily.cached_tokens IS 'Of these, cached ones.';
COMMENT ON COLUMN reporting_usage_daily.output_tokens IS 'Tokens of output, reasoning included.';
COMMENT ON COLUMN reporting_usage_daily.reasoning_tokens IS 'Of these, spent on reasoning.';
COMMENT ON COLUMN reporting_usage_daily.cost IS 'US dollars, of the calls of known cost.';
COMMENT ON COLUMN reporting_usage_daily.first_texts IS 'Answers in which a first text came.';
COMMENT ON COLUMN reporting_usage_daily.first_text_ms IS 'Milliseconds from their first request to their first text, summed over these.';
COMMENT ON COLUMN reporting_usage_daily.first_text_250ms IS 'Of these, ones that took up to 0.25 s.';
COMMENT ON COLUMN reporting_usage_daily.first_text_500ms IS 'More than 0.25 s, and up to 0.5 s.';
COMMENT ON COLUMN reporting_usage_daily.first_text_1s IS 'More than 0.5 s, and up to 1 s.';
COMMENT ON COLUMN reporting_usage_daily.first_text_2s IS 'More than 1 s, and up to 2 s.';
COMMENT ON COLUMN reporting_usage_daily.first_text_4s IS 'More than 2 s, and up to 4 s.';
COMMENT ON COLUMN reporting_usage_daily.first_text_8s IS 'More than 4 s, and up to 8 s.';
COMMENT ON COLUMN reporting_usage_daily.first_text_16s IS 'More than 8 s, and up to 16 s.';
COMMENT ON COLUMN reporting_usage_daily.first_text_32s IS 'More than 16 s, and up to 32 s.';
COMMENT ON COLUMN reporting_usage_daily.first_text_longer IS 'More than 32 s.';
COMMENT ON COLUMN reporting_usage_daily.thumbs_up IS 'Answers of this time that are rated good.';
COMMENT ON COLUMN reporting_usage_daily.thumbs_down IS 'Answers of this time that are rated bad.';
"""
NO_VIEWS = """
DROP VIEW reporting_person,
    reporting_membership,
    reporting_assistant,
    reporting_model,
    reporting_conversation,
    reporting_message,
    reporting_message_text,
    reporting_generation,
    reporting_attachment,
    reporting_feedback,
    reporting_review,
    reporting_usage_daily;
"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0013_removal"), ("records", "0011_kinds_of_usage_sums")]
    operations = [migrations.RunSQL(VIEWS, NO_VIEWS)]
