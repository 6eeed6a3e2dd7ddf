"""SECURITY.md and the attacks name each other: no promise without a test, no attack that is left out."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def functions_of(path):
    """The names of the test functions of a file."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def named():
    """The tests that SECURITY.md names, as pairs of file and function."""
    found = re.findall(r"`([\w/]+\.py)::(\w+)`", TEXT)
    return {(ROOT / path if "/" in path else HERE / path, name) for path, name in found}


def test_every_test_named_exists():
    """A renamed or deleted test leaves no promise behind."""
    missing = [
        (path.name, name) for path, name in named() if not path.is_file() or name not in functions_of(path)
    ]
    assert missing == []


def test_every_attack_is_named():
    """Each attack in this folder stands beside the threat that it shows."""
    attacks = {
        (path, name)
        for path in HERE.glob("test_*.py")
        if path != Path(__file__)
        for name in functions_of(path)
    }
    assert {(path.name, name) for path, name in attacks - named()} == set()


def test_every_module_named_exists():
    """The third column leads to files."""
    modules = re.findall(r"`((?:web/|hosts/(?:\w+/)?)?(?:static/)?\w+\.(?:py|js))`", TEXT)
    assert len(modules) > 30
    assert [one for one in modules if not (ROOT / "src" / "smartcar_auth" / one).is_file()] == []
