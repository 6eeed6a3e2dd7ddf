"""Measure the figures and print one table: `python -m benchmarks [NAME...] [--json] [--quick]`."""

import argparse
import json
import platform
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module, metadata
from os import cpu_count
from time import perf_counter

from .figure import Figure, Say, table

NAMES = (
    "import_time",
    "auth_url",
    "starlette_routes",
    "flask_routes",
    "django_routes",
    "way_back",
    "asset_size",
    "loopback",
    "page",
    "data_apps",
    "sandbox",
)
PACKAGES = (
    "smartcar-auth",
    "smartcar",
    "authlib",
    "django",
    "starlette",
    "fastapi",
    "flask",
    "itsdangerous",
    "uvicorn",
    "httptools",
    "oidc-provider-mock",
    "brotli",
    "google-auth-oauthlib",
    "msal",
    "streamlit",
    "streamlit-oauth",
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="The project's figures.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(NAMES)} (default: all)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--quick", action="store_true", help="few rounds: for a look, not for a record")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.names) - set(NAMES))
    if unknown:
        parser.error(f"no such figure: {', '.join(unknown)}; there are {', '.join(NAMES)}")
    figures: list[Figure] = []
    failed = []
    for name in given.names or NAMES:
        started = perf_counter()
        say = _speaker(name)
        try:
            figures += import_module(f".{name}", __package__).measure(say, given.quick)
        except Exception:  # one figure that can't be measured must not cost the others
            traceback.print_exc()
            failed.append(name)
        say(f"took {perf_counter() - started:.0f} s")
    if given.json:
        content = {
            "machine": machine(),
            "figures": [figure.as_json() for figure in figures],
            "failed": failed,
        }
        print(json.dumps(content, indent=2))
    else:
        print(table(figures))
        print("\n" + machine() + (" QUICK RUN." if given.quick else ""))
    return 1 if failed else 0


def machine() -> str:
    """What the figures were taken on, and with which versions."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    return (
        f"{platform.python_implementation()} {platform.python_version()}, {platform.system()} "
        f"{platform.machine()}, {cpu_count()} cores; {versions}."
    )


def _speaker(name: str) -> Say:
    def say(text: str) -> None:
        print(f"{name}: {text}", file=sys.stderr, flush=True)

    return say


if __name__ == "__main__":
    sys.exit(main())
