"""What turnout runs on, on paper: locked requirements, and a bill of materials with licences.

The bill is CycloneDX. uv writes it from uv.lock; licences are added, and what would differ from
one run to the next - a random number, the time - is replaced by what follows from the contents.
"""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from release.licences import Unknown, licence
from release.running import BIN, run
from release.version import Commit

RUNTIME = ("--locked", "--no-dev", "--quiet")


def requirements(path: Path) -> Path:
    """Write what turnout runs on, each pinned with its hashes, as pip reads it."""
    options = (*RUNTIME, "--no-emit-project", "--no-header", "--no-annotate")
    path.write_text(run(BIN / "uv", "export", *options), encoding="utf-8")
    return path


def materials(path: Path, commit: Commit) -> Path:
    """Write the bill of materials."""
    text = run(BIN / "uv", "export", *RUNTIME, "--format", "cyclonedx1.5")
    bill = completed(json.loads(text), commit.version, commit.seconds)
    path.write_text(json.dumps(bill, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return path


def completed(bill: dict[str, Any], version: str, seconds: int) -> dict[str, Any]:
    """Return uv's bill with licences, our version, and nothing that differs from run to run."""
    about = bill["metadata"]
    about["timestamp"] = datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
    about["component"] |= {
        "type": "application",
        "version": version,
        "purl": f"pkg:pypi/turnout@{version}",
        "licenses": [{"expression": "Apache-2.0"}],
    }
    for component in bill["components"]:
        try:
            component["licenses"] = [{"expression": licence(component["name"])}]
        except Unknown:
            continue  # it is for other systems, and not installed here
    bill.pop("serialNumber", None)
    name = json.dumps(bill, sort_keys=True)
    bill["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}"
    return bill
