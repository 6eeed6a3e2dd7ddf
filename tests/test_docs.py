"""What the documentation says is true: its Python runs, its tables are complete, its links lead somewhere."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import smartcar_auth
from smartcar_auth import SmartcarAuthError

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks() -> "list[tuple[str, str]]":
    return [
        (f"{page.relative_to(ROOT)}:{text[: found.start()].count(chr(10)) + 1}", found[1])
        for page in PAGES
        for text in [page.read_text(encoding="utf-8")]
        for found in BLOCK.finditer(text)
    ]


@pytest.mark.parametrize(("place", "source"), blocks(), ids=[place for place, _ in blocks()])
def test_python_in_docs_runs(place: str, source: str) -> None:
    """A block that begins with an import is a whole program and runs; a fragment at least parses."""
    code = compile(source, place, "exec")
    if source.startswith(("from ", "import ")):
        exec(code, {"__name__": "docs"})


def error_classes() -> "list[type[SmartcarAuthError]]":
    named = [getattr(smartcar_auth, name) for name in smartcar_auth.__all__]
    return [one for one in named if isinstance(one, type) and issubclass(one, SmartcarAuthError)]


def test_errors_table_lists_every_class_with_its_code() -> None:
    """docs/errors.md has a row for each public error, with the code that the class has."""
    rows = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    for one in [SmartcarAuthError, *error_classes()]:
        row = re.search(rf"^\| (?:\*\*)?`{one.__name__}`.*$", rows, re.MULTILINE)
        assert row is not None, f"{one.__name__} is missing from docs/errors.md"
        if one.__name__ != "ConnectError":  # its subclasses carry the wire's
            assert f"| `{one.code}` |" in row[0], f"{one.__name__} has code {one.code}"


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_in_docs_lead_to_files(page: Path) -> None:
    """Every relative link names a file of the repository."""
    for target in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def functions_of(path: Path) -> "set[str]":
    if not path.is_file():
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_tests_named_in_docs_exist() -> None:
    """Where a page says which test shows something, there is such a test."""
    named = [
        (page.name, path, function)
        for page in PAGES
        for path, function in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text(encoding="utf-8"))
    ]
    assert len(named) > 30
    assert [one for one in named if one[2] not in functions_of(ROOT / one[1])] == []


def test_docs_build(tmp_path: Path) -> None:
    """mkdocs builds the pages without a warning."""
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert built.returncode == 0, built.stderr


def test_repository_names_no_machine() -> None:
    """No tracked file holds a package registry's host or a machine's home directory."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    # In pieces, or this file would name them itself.
    hosts = ["files.python" + "hosted", "pypi.org" + "/simple", "registry.npm" + "js"]
    folders = ["/ro" + "ot/", "/wo" + "rk/", "/ho" + "me/[a-z]"]
    forbidden = re.compile("|".join([*map(re.escape, hosts), *folders]).encode())
    for name in filter(None, listed.decode().split("\0")):
        path = ROOT / name
        if path.suffix not in (".png", ".woff2") and path.is_file():
            assert not forbidden.search(path.read_bytes()), f"{name} names a host or a machine"
