"""Shelves: bounded, and with a file the same again after the process has ended, however it ended."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from smartcar_auth.sandbox import Sandbox
from smartcar_auth.sandbox.accounts import account_of
from smartcar_auth.sandbox.brands import brand_called
from smartcar_auth.sandbox.garage import vehicles_of
from smartcar_auth.sandbox.records import Code, Connection, Grant, Records, Subscription, Token
from smartcar_auth.sandbox.shelves import Shelf, StorageFile, StoredShelf, decoded, encoded

from .application import Application
from .command import Command
from .conftest import APPLICATION_ID, Person

GRANT = Grant("app", "user", ("v1", "v2"), ("read_vin",), "live")
RECORDS = [
    GRANT,
    Code(GRANT, None, 12.5, used=True, trouble=("rate_limit", "Too many", 429, 5)),
    Token(GRANT, 99.0),
    Connection("id", "app", "user", "v1", ("read_vin",), "test", None, 1.0, 2.0),
    Subscription("id", "hook", "user", "v1", "live", 3.0),
    vehicles_of(account_of("smartcar@vs-001.vehicle-state-error.com"), brand_called("TESLA"))[0],
    1.5,
]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[StorageFile]:
    """An empty file."""
    opened = StorageFile(tmp_path / "file")
    yield opened
    opened.close()


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_record_written_and_read(record: Any, file: StorageFile) -> None:
    """Every kind of record is the same after a file: tuples are tuples again, None is None."""
    StoredShelf(10, "shelf", type(record), file).put("key", record)
    again = StoredShelf(10, "shelf", type(record), file)
    assert again["key"] == record
    assert type(again["key"]) is type(record)


def test_record_with_a_field_that_is_gone() -> None:
    """A field that an older version wrote is passed over."""
    text = encoded(Token(GRANT, 1.0)).replace('"expires_at"', '"forgotten":1,"expires_at"')
    assert decoded(Token, json.loads(text)) == Token(GRANT, 1.0)


def test_shelf_bounded_in_the_file_too(file: StorageFile) -> None:
    """What falls off a shelf is gone from the file; what is put again is the newest in both."""
    shelf = StoredShelf(2, "numbers", float, file)
    for key, number in (("a", 1.0), ("b", 2.0), ("a", 3.0), ("c", 4.0)):
        shelf.put(key, number)
    assert list(shelf.items()) == [("a", 3.0), ("c", 4.0)]
    assert list(StoredShelf(2, "numbers", float, file).items()) == [("a", 3.0), ("c", 4.0)]
    shelf.drop("a")
    shelf.drop("never there")
    assert list(StoredShelf(2, "numbers", float, file)) == ["c"]
    shelf.clear()
    assert list(StoredShelf(2, "numbers", float, file)) == []


def test_shelf_smaller_than_what_the_file_holds(file: StorageFile) -> None:
    """Where the file holds more than fits, the next record makes room."""
    large = StoredShelf(5, "numbers", float, file)
    for number in range(5):
        large.put(str(number), float(number))
    small = StoredShelf(2, "numbers", float, file)
    small.put("new", 9.0)
    assert list(small) == ["4", "new"]
    assert list(StoredShelf(2, "numbers", float, file)) == ["4", "new"]


def test_shelves_in_one_file_apart(file: StorageFile) -> None:
    """Two shelves of one file know nothing of each other."""
    first, second = StoredShelf(9, "first", float, file), StoredShelf(9, "second", float, file)
    first.put("key", 1.0)
    second.put("key", 2.0)
    first.clear()
    assert second["key"] == 2.0
    assert list(StoredShelf(9, "second", float, file)) == ["key"]


def test_file_of_another_sandbox(tmp_path: Path) -> None:
    """Two sandboxes can't share a file, and the second one is told."""
    first = Sandbox(data=tmp_path / "data")
    with pytest.raises(OSError, match="another sandbox is using it"):
        Sandbox(data=tmp_path / "data")
    first.stop()
    Sandbox(data=tmp_path / "data").stop()


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be read as one" * 9])
def test_file_of_something_else(tmp_path: Path, content: bytes) -> None:
    """A file that isn't ours is refused, and stays as it was."""
    path = tmp_path / "data"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="no sandbox's file"):
        StorageFile(path)
    assert path.read_bytes() == content


def test_file_of_another_program(tmp_path: Path) -> None:
    """A database that isn't ours is refused, and so is another version's."""
    path = tmp_path / "data"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(ValueError, match="something else"):
        StorageFile(path)
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(ValueError, match="something else"):
        StorageFile(path)


def test_file_that_cannot_be(tmp_path: Path) -> None:
    """A file in a folder that doesn't exist is an OSError that names it."""
    with pytest.raises(OSError, match="nowhere"):
        Sandbox(data=tmp_path / "nowhere" / "data")


def test_seed_and_data_exclude_each_other(tmp_path: Path) -> None:
    """Ids that repeat would meet their own past."""
    with pytest.raises(ValueError, match="one of the two"):
        Sandbox(seed=1, data=tmp_path / "data")


def test_sandbox_started_again_without_its_file(tmp_path: Path) -> None:
    """A sandbox that has let go of its file says so instead of losing what happens."""
    sandbox = Sandbox(data=tmp_path / "data")
    with sandbox:
        assert httpx.get(f"{sandbox.origin}/health").status_code == 200
    with pytest.raises(RuntimeError, match="let go of its data file"):
        sandbox.start()


def test_records_without_a_file_are_in_memory() -> None:
    """Nothing is written unless a file is named."""
    assert type(Records().codes) is Shelf


def test_reset_empties_the_file(tmp_path: Path) -> None:
    """What `reset` forgets is not there at the next start either."""
    sandbox = Sandbox(data=tmp_path / "data")
    with sandbox, httpx.Client(base_url=sandbox.origin) as client:
        Person(client).connects()
        sandbox.reset()
    with closing(StorageFile(tmp_path / "data")) as file:
        assert [list(file.read(shelf)) for shelf in ("codes", "connections", "vehicles")] == [[], [], []]


def test_everything_survives_kill_9(tmp_path: Path) -> None:
    """Killed in the middle of its life, the sandbox knows users, connections, tokens and cars when it is back."""
    options = ("--data", str(tmp_path / "data"))
    with Command(*options) as first, httpx.Client(base_url=first.origin) as client:
        person = Person(client)
        tokens = person.gets_tokens(external_id="owner-7")
        pending = person.connects("second@example.com")
        application = Application(person, pending["user_id"])
        headers = {"authorization": f"Bearer {tokens['access_token']}"}
        user = client.get("/v2.0/user", headers=headers).json()
        (vehicle, *_) = client.get("/v2.0/vehicles", headers=headers).json()["vehicles"]
        client.post(f"/v2.0/vehicles/{vehicle}/security", json={"action": "UNLOCK"}, headers=headers)
        client.post(f"/v2.0/vehicles/{vehicle}/webhooks/hook-1", headers=headers)
        connections = application.finds("/connections")
        first.kill()

    with Command(*options) as second, httpx.Client(base_url=second.origin) as client:
        person = Person(client)
        application.client = client
        assert client.get("/v2.0/user", headers=headers).json() == user
        assert client.get(f"/v2.0/vehicles/{vehicle}/security", headers=headers).json()["isLocked"] is False
        assert application.finds("/connections") == connections
        everybody = application.calls("/subscriptions", headers={"sc-user-id": ""}).json()["data"]
        assert [each["attributes"]["webhookId"] for each in everybody] == ["hook-1"]
        assert person.exchanges(pending["code"]).status_code == 200
        assert person.refreshes(tokens["refresh_token"]).status_code == 200
        # Who allowed once isn't asked again.
        assert person.logs_in("owner@example.com", external_id="owner-7").status_code == 302
        used = client.post(
            "/oauth/token",
            data={"grant_type": "authorization_code", "code": pending["code"]},
            auth=(APPLICATION_ID, "secret"),
        )
        assert used.status_code == 400
        assert "exchanged already" in used.headers["sandbox-hint"]
