"""What every resource is made of: one small class for each address."""

from rest.views.live import LiveView
from rest.views.resource import ResourceView

__all__ = ["LiveView", "ResourceView"]
