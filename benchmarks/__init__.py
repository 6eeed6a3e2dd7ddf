"""The project's figures: what is measured, beside the peers it is compared with.

`python -m benchmarks` measures them all and prints one table; `python -m benchmarks.soak` is the long run. Each
figure is a module with a `measure` function. Nothing here is a test: no run fails because a machine is slow.
"""
