"""Whether a bill of materials keeps to CycloneDX's own schema."""

import json
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from release.running import Failed, said


def keep(bill: Path) -> Path:
    """Return the bill; Failed where it is no CycloneDX 1.5."""
    text = bill.read_text(encoding="utf-8")
    problem = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
    if problem:
        raise Failed(f"the bill of materials is no CycloneDX 1.5: {problem}")
    said(
        f"bill of materials: {len(json.loads(text)['components'])} packages, as CycloneDX has them"
    )
    return bill
