"""What reports read: sums of use in a span of days, added up as somebody asks for them."""
