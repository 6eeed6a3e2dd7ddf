"""The package root: its public names."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import smartcar_auth

NAMES = [
    *(
        "Smartcar",
        "AuthorizationRequest",
        "AuthorizationResponse",
        "SmartcarAuthError",
        "hosted_redirect_uri",
        "read_envelope",
    ),
    *("CLEAR", "VehicleInfo", "__version__"),
]


def test_package_exports_the_contract():
    """The names of the contract are there, and `__all__` lists exactly what the root defines."""
    assert set(NAMES) <= set(smartcar_auth.__all__)
    public = {name for name, value in vars(smartcar_auth).items() if isinstance(value, type) or name in NAMES}
    assert public == set(smartcar_auth.__all__)


def test_package_star_import_works():
    """Every name in `__all__` exists."""
    code = "from smartcar_auth import *; Smartcar"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_package_version_is_the_distributions():
    """One version, in both places."""
    assert smartcar_auth.__version__ == metadata.version("smartcar-auth") == "0.1.0"


def test_package_is_marked_as_typed():
    """Type checkers read the annotations."""
    assert (Path(smartcar_auth.__file__).parent / "py.typed").is_file()
