"""Tables of the back office: review, retention, reporting, exports."""

from records.models.exports import BulkExport, BulkExportPart
from records.models.facts import ConversationFact, StaleConversation, Watermark
from records.models.retention import LegalHold, RetentionPolicy, RetentionRun, Tombstone
from records.models.review import Review, ReviewLabel, ReviewPolicy, ReviewReason
from records.models.usage import MEASURES, UsageChange, UsageFact, UsageSum

__all__ = [
    "MEASURES",
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
    "UsageChange",
    "UsageFact",
    "UsageSum",
    "Watermark",
]
