"""The contract of the API: an OpenAPI 3.1 document, written from the views themselves."""

from rest.schema import security
from rest.schema.documenting import documented, example, page_of
from rest.schema.operations import OperationSchema

__all__ = ["OperationSchema", "documented", "example", "page_of", "security"]
