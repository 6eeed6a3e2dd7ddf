"""Ours in marimo."""

# ruff: noqa: B018  (marimo's way with cells)

import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    from known import known

    from smartcar_auth import Smartcar
    from smartcar_auth.hosts.notebook import ConnectButton

    button = mo.ui.anywidget(ConnectButton(Smartcar.from_environment(), ports=[0]))
    button.on_complete(lambda error, response: known())
    button
    return


if __name__ == "__main__":
    app.run()
