"""One target under Atheris, in a process of its own, which libFuzzer ends: `python -m fuzz.guided TARGET [FLAG...]`."""

import sys

import atheris

with atheris.instrument_imports(include=["smartcar_auth"]):
    from .targets import TARGETS

if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()
