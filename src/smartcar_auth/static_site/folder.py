"""Writing files to a folder that may hold a person's own: nothing is overwritten that wasn't written here.

A list of what was written, with the digests, stays beside the files; it is what tells ours from others.
"""

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

LIST = "smartcar-auth.json"


class ForeignFiles(Exception):
    """Files are in the way that somebody else wrote, or changed."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(
            f"{', '.join(names)}: not written by this command, or changed since, so left as it was. "
            "Choose another folder, or pass --force to overwrite."
        )


def integrity(content: bytes) -> str:
    """The Subresource Integrity value."""
    return "sha384-" + b64encode(hashlib.sha384(content).digest()).decode()


def write(folder: Path, files: Mapping[str, bytes], *, force: bool = False) -> None:
    """Write all of the files, or none.

    Args:
        folder: Made where it isn't there.
        files: Content by name.
        force: Overwrite whatever is there.

    Raises:
        ForeignFiles: some would be overwritten.
        OSError: the folder can't be written.
    """
    before = _written_before(folder)
    foreign = [
        name
        for name, content in files.items()
        if (folder / name).exists() and (folder / name).read_bytes() != content
        if before.get(name) != integrity((folder / name).read_bytes())
    ]
    if foreign and not force:
        raise ForeignFiles(foreign)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    listed = {name: integrity(content) for name, content in files.items()}
    (folder / LIST).write_text(json.dumps(listed, indent=2) + "\n")


def _written_before(folder: Path) -> dict[str, str]:
    try:
        found = json.loads((folder / LIST).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
