"""The guide for teams that come from @smartcar/auth leaves out nothing that the official SDK has."""

import re
from pathlib import Path

import smartcar_auth
from smartcar_auth import SmartcarAuthError
from smartcar_auth.errors import CONNECT_ERRORS
from smartcar_auth.message import FIELDS

HERE = Path(__file__).parent
GUIDE = (HERE.parent / "docs" / "migrating-from-javascript.md").read_text(encoding="utf-8")
OFFICIAL = (HERE / "js" / "node_modules" / "@smartcar" / "auth" / "dist" / "npm" / "sdk.js").read_text(
    encoding="utf-8"
)
_, _, AFTER = GUIDE.partition("### What maps to what\n")
MAPPED = set(
    re.findall(r"\w+", " ".join(line.split("|")[1] for line in AFTER.splitlines() if line.startswith("|")))
)


def test_every_option_is_mapped():
    """Those of the constructor, of getAuthUrl, openDialog and addClickHandler, by the SDK's own documentation."""
    options = set(re.findall(r"@param \{[^}]+\} \[?options\.([\w.]+)", OFFICIAL))
    assert len(options) > 15
    assert {name.rpartition(".")[2] for name in options} - MAPPED == set()


def test_every_method_and_argument_is_mapped():
    """The public methods, and what onComplete is called with."""
    methods = {name for name in re.findall(r'key: "(\w+)"', OFFICIAL) if not name.startswith("_")}
    assert methods == {"getAuthUrl", "openDialog", "addClickHandler", "unmount"}
    (arguments,) = re.findall(r"_this\.onComplete\(([^)]*)\);", OFFICIAL)
    names = {
        name.strip().removeprefix("message.").replace("originalState", "state")
        for name in arguments.split(",")
    }
    assert (methods | names) - MAPPED == set()


def test_every_error_is_mapped():
    """Connect's error, the official class where there is one, our class and its code stand in one row."""
    official = dict(re.findall(r"case '(\w+)':\s+(?:return|var).*?new Smartcar\.(\w+)", OFFICIAL, re.DOTALL))
    assert len(official) == 3
    for wire, kind in CONNECT_ERRORS.items():
        if wire in ("user_cancelled", "user_exited"):  # other spellings of the same
            continue
        (row,) = re.findall(rf"^\| `{wire}` \|.*$", GUIDE, re.MULTILINE)
        assert f"`{kind.__name__}`" in row
        assert f"`{kind.code}` |" in row
        assert f"`Smartcar.{official[wire]}`" in row if wire in official else "| `Error` |" in row


def test_every_name_of_ours_exists():
    """Classes, and the message's fields that Smartcar's page lacks."""
    classes = {
        name for name in re.findall(r"`([A-Z]\w+)`", GUIDE.partition("## Errors")[2]) if name != "Error"
    }
    classes -= {"True", "False", "None", "TypeError"}  # Python's own
    ours = {name for name in classes if hasattr(smartcar_auth, name)}
    assert classes - ours <= {"SmartcarAuthMessage"}
    assert all(issubclass(getattr(smartcar_auth, name), SmartcarAuthError) for name in ours)
    for field, parameter in FIELDS[-3:]:
        assert f"`{parameter}`" in GUIDE
        assert f"`{field}`" in GUIDE
