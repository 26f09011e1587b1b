"""Ids of rows: UUID version 7, so that they sort by the time they were made."""

import secrets
import time
import uuid


def uuid7() -> uuid.UUID:
    """Return a UUID of version 7: 48 bits of Unix time in milliseconds, then 74 random bits (RFC 9562, section 5.7).

    Python has `uuid.uuid7` only from 3.14 on.
    """
    value = (time.time_ns() // 1_000_000 & 0xFFFF_FFFF_FFFF) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0b11 << 62) | 0b10 << 62
    return uuid.UUID(int=value)
