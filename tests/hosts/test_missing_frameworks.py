"""A host without its framework says in words which extra to install."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "missing", "extra"),
    [
        ("smartcar_auth.hosts.starlette", "starlette", "starlette"),
        ("smartcar_auth.hosts.fastapi", "fastapi", "fastapi"),
        ("smartcar_auth.hosts.django", "django", "django"),
        ("smartcar_auth.hosts.flask", "flask", "flask"),
        ("smartcar_auth.hosts.nicegui", "nicegui", "nicegui"),
        ("smartcar_auth.hosts.dash", "dash", "dash"),
        ("smartcar_auth.hosts.gradio", "gradio", "gradio"),
        ("smartcar_auth.hosts.streamlit", "streamlit", "streamlit"),
        ("smartcar_auth.web", "itsdangerous", "fastapi"),
    ],
)
def test_host_without_its_framework_names_the_extra(module, missing, extra):
    """An ImportError that names the package and the command."""
    script = f"""
import importlib.abc, sys
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {missing!r}:
            raise ModuleNotFoundError(name, name=name)
import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == {missing!r} else real(name, package)
sys.meta_path.insert(0, Absent())
try:
    import {module}
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    assert missing in done.stdout.lower()
    assert f'pip install "smartcar-auth[{extra}]"' in done.stdout
