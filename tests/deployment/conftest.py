"""A folder of its own for what each test deploys."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deployment.deployed import Deployment


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """A folder's deployment, ended with the test."""
    deployment = Deployment(tmp_path)
    yield deployment
    deployment.end()
