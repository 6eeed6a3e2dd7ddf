"""Coverage-guided fuzzing of whatever a stranger can write to: response, state, cookies, message.

`python -m fuzz` runs it with Atheris; `targets.py` holds what is tried and what must hold, and needs no Atheris. It
stands apart from `benchmarks/`, which measures and has peers, and from `tests/`, which it would need minutes of.
"""
