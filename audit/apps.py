from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        """Listen to what Django tells of sign-ins, of people and groups, and of changes in the back office."""
        from audit import signals

        signals.connect()
