"""A sandbox, and widgets whose page is a test."""

from collections.abc import Callable, Iterator
from typing import Any

import comm
import pytest
from comm.base_comm import BaseComm

from smartcar_auth import Smartcar
from smartcar_auth.hosts.notebook import ConnectButton
from smartcar_auth.sandbox import Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as started:
        yield started


class Front:
    """What a front end has of a widget: the messages that come, and a way to send some."""

    def __init__(self, button: ConnectButton, line: "Line") -> None:
        self.button = button
        self.line = line

    def sends(self, kind: str, **content: Any) -> None:
        self.line.front_end_sends({"method": "custom", "content": {"kind": kind, **content}})

    def sets(self, **state: Any) -> None:
        """As a page does that has changed a trait."""
        self.line.front_end_sends({"method": "update", "state": state, "buffer_paths": []})

    def clicks(self, **content: Any) -> str:
        """A click, and the address that the kernel answers with."""
        self.sends("open", click="a-click", origin="http://localhost:8888", **content)
        (last,) = self.told("go")[-1:]
        assert last["click"] == "a-click"
        url: str = last["url"]
        return url

    def told(self, kind: str) -> list[dict[str, Any]]:
        contents = [data["content"] for data in self.line.published if data.get("method") == "custom"]
        return [content for content in contents if content["kind"] == kind]


class Line(BaseComm):  # type: ignore[misc]
    """A kernel's line to its front end, as widgets know it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.published: list[dict[str, Any]] = []
        super().__init__(*arguments, **named)

    def publish_msg(self, kind: str, data: Any = None, **_: Any) -> None:
        self.published.append(data or {})

    def front_end_sends(self, data: dict[str, Any]) -> None:
        self.handle_msg({"content": {"data": data}, "buffers": [], "metadata": {}})


@pytest.fixture
def front(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Front]]:
    """Make a button, in a kernel that nobody sees."""
    lines: list[Line] = []

    def create_comm(*arguments: Any, **named: Any) -> Line:
        lines.append(Line(*arguments, **named))
        return lines[-1]

    # Kernels put theirs here, too.
    monkeypatch.setattr(comm, "create_comm", create_comm)
    made: list[ConnectButton] = []

    def make(*, application: dict[str, Any] | None = None, **options: Any) -> Front:
        smartcar = Smartcar(
            application_id="an-application", connect_origin=sandbox.origin, **(application or {})
        )
        made.append(ConnectButton(smartcar, **{"make": "TESLA", **options}))
        return Front(made[-1], next(line for line in lines if line.comm_id == made[-1].model_id))

    yield make
    for button in made:
        button.close()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
