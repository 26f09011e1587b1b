"""How amounts are written for people."""

from decimal import Decimal


def money(amount: Decimal) -> str:
    """Write US dollars for people: cents from a dollar on, below that two digits that count."""
    if not amount:
        return "$0.00"
    if amount >= 1:
        return f"${amount:,.2f}"
    if amount < Decimal("0.000001"):
        return "< $0.000001"
    return f"${amount:.{max(1 - amount.adjusted(), 2)}f}"
