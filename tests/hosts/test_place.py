"""Where a program runs: what its surroundings say, and whether "localhost" is the same machine in a browser."""

import sys

import pytest

from smartcar_auth.hosts.loopback.place import Place, this_place


@pytest.mark.parametrize(
    ("variables", "around"),
    [
        ({}, ""),
        ({"VSCODE_PID": "7"}, "vscode"),
        ({"VSCODE_CWD": "/home"}, "vscode"),
        ({"JUPYTERHUB_SERVICE_PREFIX": "/user/you/"}, "hub"),
        ({"JUPYTERHUB_USER": "you"}, "hub"),
    ],
)
def test_surroundings(monkeypatch, variables, around):
    """By what front ends set for their kernels."""
    for name in (
        "VSCODE_PID",
        "VSCODE_CWD",
        "JUPYTERHUB_SERVICE_PREFIX",
        "JUPYTERHUB_API_URL",
        "JUPYTERHUB_USER",
    ):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert this_place() == Place(around)


def test_surroundings_in_colab(monkeypatch):
    """By its own module."""
    monkeypatch.setitem(sys.modules, "google.colab", sys)
    assert this_place() == Place("colab")


def test_page_before_it_has_spoken():
    """Nothing is known of it, so this machine is tried."""
    assert not Place("").is_remote
