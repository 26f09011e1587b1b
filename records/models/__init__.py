"""Tables of the back office: review, retention, reporting, exports."""

from records.models.exports import BulkExport, BulkExportPart
from records.models.facts import ConversationFact, StaleConversation, UsageFact, Watermark
from records.models.retention import LegalHold, RetentionPolicy, RetentionRun, Tombstone
from records.models.review import Review, ReviewLabel, ReviewPolicy, ReviewReason

__all__ = [
    "BulkExport",
    "BulkExportPart",
    "ConversationFact",
    "LegalHold",
    "RetentionPolicy",
    "RetentionRun",
    "Review",
    "ReviewLabel",
    "ReviewPolicy",
    "ReviewReason",
    "StaleConversation",
    "Tombstone",
    "UsageFact",
    "Watermark",
]
