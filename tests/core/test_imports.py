"""The import rules: the core is light and imports nobody; arrows run one way."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent.parent / "src" / "smartcar_auth"
CORE = (
    "__init__",
    "_platform",
    "client",
    "envelope",
    "errors",
    "message",
    "origin",
    "request",
    "response",
    "state",
    "words",
)
STANDARD = sys.stdlib_module_names | {"js", "jsffi", "pyodide"}  # the last three are a page's own
# What a framework's host may bring along besides the core and web.
FRAMEWORKS = {
    "starlette": {"starlette", "anyio", "jinja2", "markupsafe"},
    "fastapi": {"fastapi", "starlette", "anyio", "jinja2", "markupsafe"},
    "flask": {"flask", "werkzeug", "blinker", "click", "markupsafe", "jinja2"},
    "django": {"django", "asgiref"},
    "device": {"segno"},
    "browser": {"pyodide", "pyscript", "js"},
    "notebook": {"anywidget", "traitlets", "IPython"},
    "streamlit": {"streamlit", "starlette"},
    "nicegui": {"nicegui", "fastapi", "starlette"},
    "gradio": {"gradio", "fastapi", "starlette"},
    "dash": {"dash", "flask"},
}
FRAMEWORKS["_flask"] = FRAMEWORKS["flask"]  # the half of Flask's host that is about one application
# Hosts that build on another one.
BUILDS_ON = {
    ("starlette", "asgi"),
    ("streamlit", "starlette"),
    ("fastapi", "starlette"),
    ("gradio", "fastapi"),
    ("nicegui", "fastapi"),
    ("_flask", "wsgi"),
    ("dash", "flask"),
    ("dash", "_flask"),
    ("notebook", "loopback"),
    ("notebook", "device"),
}
HEAVY = (
    "typing",
    "dataclasses",
    "re",
    "enum",
    "urllib",
    "hashlib",
    "hmac",
    "warnings",
    "asyncio",
    "socket",
    "ssl",
    "json",
)
FILES = sorted(PACKAGE.rglob("*.py"))


def imported(path):
    """Absolute names of all modules that a file imports, wherever in it: (name, for type checkers only)."""
    tree = ast.parse(path.read_text())
    package = ("smartcar_auth", *path.relative_to(PACKAGE).parent.parts)
    typing_only = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            typing_only |= {id(inner) for part in node.body for inner in ast.walk(part)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in typing_only
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*start, *((node.module,) if node.module else ())))
            for alias in node.names:
                submodule = PACKAGE.parent.joinpath(*base.split("."), alias.name)
                is_module = submodule.with_suffix(".py").exists() or (submodule / "__init__.py").exists()
                yield f"{base}.{alias.name}" if is_module else base, id(node) in typing_only


def part_of(name):
    """Which part of the package a module belongs to: core, web, hosts, sandbox, cli."""
    pieces = name.split(".")
    if len(pieces) == 1 or pieces[1] in CORE:
        return "core"
    return pieces[1]


def name_of(path):
    """The module's dotted name."""
    pieces = ("smartcar_auth", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(pieces[:-1] if pieces[-1] == "__init__" else pieces)


def fresh(code):
    """The names of the modules that a fresh interpreter has loaded after the code and had not before it."""
    script = f"import sys; before = set(sys.modules); {code}; print('\\n'.join(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_loads_the_core_only():
    """`import smartcar_auth` loads its own core modules and nothing else that isn't already there."""
    names = {name for name in fresh("import smartcar_auth") if name.partition(".")[0] != "smartcar_auth"}
    assert names <= {"__future__"}


def test_import_loads_no_host():
    """`import smartcar_auth` loads no host, sandbox, web or command line."""
    loaded = fresh("import smartcar_auth")
    assert {part_of(name) for name in loaded if name.partition(".")[0] == "smartcar_auth"} == {"core"}


@pytest.mark.parametrize("heavy", HEAVY)
def test_core_modules_import_heavy_ones_only_where_used(heavy):
    """No core module imports a slow standard module, or one that MicroPython lacks, at its top."""
    for path in FILES:
        if part_of(name_of(path)) == "core":
            for node in ast.parse(path.read_text()).body:
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                assert heavy not in [name.partition(".")[0] for name in names], path.name


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_module_imports_follow_the_arrows(path):
    """Core imports core; web imports core; the sandbox imports core; a host imports core, web and its own framework."""
    here = name_of(path)
    part = part_of(here)
    for name, for_type_checkers in imported(path):
        top = name.partition(".")[0]
        if top != "smartcar_auth":
            if part == "core":
                assert top in STANDARD, f"{here} imports {name}"
            elif part == "web" and not for_type_checkers:
                assert top in STANDARD | {"itsdangerous", "redis"}, f"{here} imports {name}"
            elif part == "hosts" and here.count(".") >= 2 and not for_type_checkers:
                host = here.split(".")[2]
                assert top in STANDARD | FRAMEWORKS.get(host, set()), f"{here} imports {name}"
            continue
        target = part_of(name)
        allowed = {"core": {"core"}, "web": {"core", "web"}, "sandbox": {"core", "sandbox"}}.get(part)
        if part == "hosts":
            allowed = {"core", "web", "hosts"}
        if allowed is not None:
            assert target in allowed, f"{here} imports {name}"


@pytest.mark.parametrize("host", ["notebook", "streamlit", "nicegui", "gradio", "dash"])
def test_host_of_a_data_app_is_thin(host):
    """No file of one has 250 lines, and none has a copy of the page's module, whose element they show."""
    folder = PACKAGE / "hosts" / host
    files = [*folder.rglob("*.py"), *folder.rglob("*.js")] or [folder.with_suffix(".py")]
    for path in files:
        text = path.read_text("utf-8")
        assert len(text.splitlines()) < 250, path
        assert "customElements.define" not in text, path
        assert "BroadcastChannel" not in text, path


@pytest.mark.parametrize("path", [path for path in FILES if part_of(name_of(path)) == "hosts"], ids=name_of)
def test_host_imports_no_other_host(path):
    """Hosts know nothing of each other, except where one is the other's: Starlette is ASGI, FastAPI is Starlette."""
    here = name_of(path).split(".")
    for name, _ in imported(path):
        pieces = name.split(".")
        if pieces[:2] == ["smartcar_auth", "hosts"] and len(pieces) > 2 and len(here) > 2:
            other = pieces[2]
            shared = other.startswith("_")
            assert shared or other == here[2] or (here[2], other) in BUILDS_ON, f"{here} imports {name}"
