"""Where records are kept: bounded shelves in memory, and a SQLite file for those that outlive the process.

Everything is read from memory. A file only follows: each change is in it before the request that made the
change is answered, so that it survives `kill -9`.
"""

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import asdict, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

Record = TypeVar("Record")

_FORMAT = 1  # of the file: another number is another version's


class Shelf(OrderedDict[str, Record]):
    """Records by key, oldest first. `put` and `drop` are the only ways to change it."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def put(self, key: str, record: Record) -> None:
        """Keep a record, as the newest one; the oldest falls off rather than that the shelf grows."""
        self[key] = record
        self.move_to_end(key)
        while len(self) > self.limit:
            self.drop(next(iter(self)))

    def drop(self, key: str) -> None:
        """Forget a record, if there is one."""
        self.pop(key, None)


class StoredShelf(Shelf[Record]):
    """A shelf whose records are in a file, too.

    Args:
        limit: how many it holds.
        name: of the shelf in the file.
        kind: of the records: a dataclass of plain values, or a plain type.
        file: where they are.
    """

    def __init__(self, limit: int, name: str, kind: type[Record], file: "StorageFile") -> None:
        super().__init__(limit)
        self._name = name
        self._file = file
        for key, text in file.read(name):
            self[key] = decoded(kind, json.loads(text))

    def put(self, key: str, record: Record) -> None:
        """Keep a record, in the file first. Call it also for a record that has changed."""
        self._file.write(self._name, key, encoded(record))
        super().put(key, record)

    def drop(self, key: str) -> None:
        """Forget a record, in the file first."""
        self._file.erase(self._name, key)
        super().drop(key)

    def clear(self) -> None:
        """Forget them all."""
        self._file.erase(self._name)
        super().clear()


class StorageFile:
    """A SQLite file that one sandbox has to itself.

    Raises:
        OSError: another sandbox has it, or it can't be written.
        ValueError: it is something else than a sandbox's file, or another version's.
    """

    def __init__(self, path: str | Path) -> None:
        self.closed = False
        try:
            # Records belong to one thread at a time; SQLite needn't check that it is always the same one.
            self._connection = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
            try:
                self._prepare(path)
            except BaseException:
                self._connection.close()
                raise
        except sqlite3.OperationalError as error:
            reason = "another sandbox is using it" if "locked" in str(error) else str(error)
            raise OSError(f"{path} can't be opened: {reason}.") from None
        except sqlite3.DatabaseError:
            raise ValueError(f"{path} is no sandbox's file. Choose another name.") from None

    def _prepare(self, path: str | Path) -> None:
        run = self._connection.execute
        # Before the first look at the file: from then on it is ours alone.
        run("PRAGMA locking_mode = EXCLUSIVE")
        run("PRAGMA journal_mode = WAL")
        # A commit is with the operating system before we answer. Only a power cut may cost the last ones.
        run("PRAGMA synchronous = NORMAL")
        (version,) = run("PRAGMA user_version").fetchone()
        (tables,) = run("SELECT count(*) FROM sqlite_schema").fetchone()
        if version != _FORMAT and (version or tables):
            raise ValueError(f"{path} was written by something else than this version. Choose another name.")
        run(
            "CREATE TABLE IF NOT EXISTS records (shelf TEXT, key TEXT, record TEXT, PRIMARY KEY (shelf, key))"
        )
        run(f"PRAGMA user_version = {_FORMAT}")

    def read(self, shelf: str) -> Iterator[tuple[str, str]]:
        """A shelf's keys and records, oldest first."""
        yield from self._connection.execute(
            "SELECT key, record FROM records WHERE shelf = ? ORDER BY rowid", (shelf,)
        )

    def write(self, shelf: str, key: str, record: str) -> None:
        """Keep a record, as the newest one: replacing gives it a new row."""
        self._connection.execute("REPLACE INTO records VALUES (?, ?, ?)", (shelf, key, record))

    def erase(self, shelf: str, key: str | None = None) -> None:
        """Forget a record, or a whole shelf."""
        where, values = ("shelf = ?", (shelf,)) if key is None else ("shelf = ? AND key = ?", (shelf, key))
        self._connection.execute(f"DELETE FROM records WHERE {where}", values)  # noqa: S608 (two fixed texts)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
        self.closed = True


def encoded(record: object) -> str:
    """A record as JSON."""
    plain = asdict(record) if is_dataclass(record) and not isinstance(record, type) else record
    return json.dumps(plain, separators=(",", ":"))


def decoded(kind: Any, value: Any) -> Any:
    """What `encoded` wrote, as its own kind again: JSON knows neither dataclasses nor tuples."""
    arguments = get_args(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{name: decoded(hints[name], each) for name, each in value.items() if name in hints})
    if get_origin(kind) is UnionType:
        return None if value is None else decoded(arguments[0], value)
    if get_origin(kind) is tuple:
        kinds = [arguments[0]] * len(value) if arguments[-1] is ... else arguments
        return tuple(decoded(each, one) for each, one in zip(kinds, value, strict=True))
    if get_origin(kind) is list:
        return [decoded(arguments[0], one) for one in value]
    return value
