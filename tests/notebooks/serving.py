"""A Jupyter server, for JupyterLab and Notebook 7, and one of marimo's; on free ports, in folders of their own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

SECONDS = 60  # a cold start takes a good part of it on a busy machine


class Served(NamedTuple):
    """Where it is, and the folder with its notebooks."""

    origin: str
    folder: Path


@contextmanager
def jupyter(folder: Path, **environment: str) -> Iterator[Served]:
    """One server without a password, which looks nothing up and keeps nothing outside its folder."""
    notebooks = folder / "notebooks"
    notebooks.mkdir()
    config = folder / "jupyter_config_dir" / "labconfig"
    config.mkdir(parents=True)
    # What the environment has besides asks to be built in, in a dialogue, and Jupyter for permission to tell news.
    quiet = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (config / "page_config.json").write_text(
        json.dumps({"buildCheck": False, "buildAvailable": False, **quiet})
    )
    homes = (
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
        "IPYTHONDIR",
        "JUPYTERLAB_SETTINGS_DIR",
    )
    homes = (*homes, "JUPYTERLAB_WORKSPACES_DIR", "HOME")
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--port=0"]
    command += ["--IdentityProvider.token=", "--ServerApp.password=", "--ServerApp.disable_check_xsrf=True"]
    command += ["--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"]
    command += ["--LabApp.news_url="]
    command += [
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        f"--ServerApp.root_dir={notebooks}",
    ]
    with running(
        command, folder, {**{name: str(folder / name.lower()) for name in homes}, **environment}
    ) as alive:
        runtime = folder / "jupyter_runtime_dir"

        def listening() -> str | None:
            for found in runtime.glob("jpserver-*.json"):
                try:
                    return f"http://localhost:{json.loads(found.read_text())['port']}"
                except ValueError:  # it is being written
                    return None
            return None

        origin = alive(listening)
        alive(lambda: answers(f"{origin}/api"))
        yield Served(origin, notebooks)


@contextmanager
def marimo(folder: Path, source: str, **environment: str) -> Iterator[Served]:
    """An application of marimo's, as `marimo run` serves it."""
    app = folder / "app.py"
    app.write_text(source)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    command = [sys.executable, "-m", "marimo", "run", str(app), "--headless", "--no-token", f"--port={port}"]
    command += ["--host=localhost"]
    homes = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")
    with running(command, folder, {**{name: str(folder / "home") for name in homes}, **environment}) as alive:
        origin = f"http://localhost:{port}"
        alive(lambda: answers(f"{origin}/health"))
        yield Served(origin, folder)


@contextmanager
def running(
    command: list[str], folder: Path, environment: dict[str, str]
) -> Iterator[Callable[[Callable[[], object]], object]]:
    """A server, ended with all that it has started. What is yielded waits for something while it lives."""
    with (folder / "log.txt").open("w") as log:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

        def alive(happened: Callable[[], object]) -> object:
            until = time.monotonic() + SECONDS
            while not (found := happened()):
                assert server.poll() is None, (folder / "log.txt").read_text()
                assert time.monotonic() < until, (folder / "log.txt").read_text()
                time.sleep(0.05)
            return found

        try:
            yield alive
        finally:
            server.terminate()  # it ends its kernels
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait(15)


def answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=5) as answer:
            return answer.status == 200
    except (URLError, OSError):
        return False


def write_notebook(path: Path, *cells: str) -> None:
    """A notebook with these cells."""
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    made = [
        {"cell_type": "code", "id": f"cell-{number}", "metadata": {}, "outputs": [], "execution_count": None}
        | {"source": source}
        for number, source in enumerate(cells)
    ]
    path.write_text(json.dumps({"cells": made, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
