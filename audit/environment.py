"""Which variables of the environment have changed since the last start. Their values are kept nowhere."""

from collections.abc import Mapping

from django.db import transaction

from audit.models import KnownSetting
from audit.services import record

_KEY = "SECRET_KEY"


@transaction.atomic
def note_environment(*, fingerprints: Mapping[str, str]) -> list[str]:
    """Write into the audit which variables differ from the last time, and return their names; none at the first time.

    `fingerprints` are hashes under SECRET_KEY: where that has changed, nothing can be said of the others.
    """
    known = dict(KnownSetting.objects.values_list("name", "digest"))
    changed = sorted(name for name in known.keys() | fingerprints.keys() if known.get(name) != fingerprints.get(name))
    if not changed:
        return []
    KnownSetting.objects.exclude(name__in=fingerprints).delete()
    KnownSetting.objects.bulk_create(
        [KnownSetting(name=name, digest=digest) for name, digest in fingerprints.items()],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["digest"],
    )
    if not known:
        return []
    if _KEY in changed:
        changed = [_KEY]
    record(kind="setting.changed", actor=None, object_type="environment", details={"names": [*changed]})
    return changed
