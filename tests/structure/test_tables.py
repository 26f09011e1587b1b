"""Whoever reads the tables with SQL alone finds each explained."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import AbstractUser
from django.db import connection, models

OWN = [
    model
    for label in ("accounts", "audit", "batches", "conversations", "records", "rest", "webhooks")
    for model in apps.get_app_config(label).get_models()
]
INHERITED = {field.name for field in AbstractUser._meta.get_fields()}


def _is_ours(model: type[models.Model], field: models.Field[object, object]) -> bool:
    """Whether the column is declared by us rather than by Django: its own ids and its user's columns."""
    return (
        field.concrete
        and not field.auto_created
        and not (issubclass(model, AbstractUser) and field.name in INHERITED and field.name != "email")
    )


def test_every_table_and_column_has_a_comment() -> None:
    assert OWN
    missing = [model.__name__ for model in OWN if not model._meta.db_table_comment]
    missing += [
        f"{model.__name__}.{field.name}"
        for model in OWN
        for field in model._meta.local_fields
        if _is_ours(model, field) and not field.db_comment
    ]
    assert missing == []


@pytest.mark.django_db
def test_the_comments_are_in_the_database() -> None:
    with connection.cursor() as cursor:
        for model in OWN:
            cursor.execute("SELECT obj_description(%s::regclass)", [model._meta.db_table])
            assert cursor.fetchone() == (model._meta.db_table_comment,)
            described = connection.introspection.get_table_description(cursor, model._meta.db_table)
            comments = {column.name: column.comment for column in described}
            for field in model._meta.local_fields:
                if field.db_comment and field.column:
                    assert comments[field.column] == field.db_comment


def test_every_owned_table_has_the_one_door() -> None:
    for model in OWN:
        names = {field.name for field in model._meta.get_fields()}
        if model.__name__ in ("Conversation", "Message", "Generation", "Assistant", "Attachment") or "owner" in names:
            assert hasattr(model._default_manager.all(), "visible_to"), model.__name__


def test_the_record_holds_on_to_what_it_names() -> None:
    of_other_conversations = {"continued_from", "copy_of"}  # which may be removed before it
    for name in ("Conversation", "Message", "Generation"):
        model = apps.get_model("conversations", name)
        for field in model._meta.local_fields:
            if isinstance(field, models.ForeignKey) and field.name not in {"current_leaf"} | of_other_conversations:
                assert field.remote_field.on_delete is models.PROTECT, f"{name}.{field.name}"
