"""What commands print alike: findings, in colour and wrapped on a terminal; and what to install."""

import sys
import textwrap
from collections.abc import Mapping
from io import TextIOWrapper

import typer


def missing(extra: str, error: ImportError) -> typer.Exit:
    """Say which extra brings what could not be imported; raise what comes back."""
    typer.echo(f'{error}\nInstall what is missing: pip install "smartcar-auth[{extra}]"', err=True)
    return typer.Exit(2)


def take_any_language() -> None:
    """An app's words may be in any language, the output's encoding not."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


class Findings:
    """Prints lines that begin with a verdict and a name: in colour and wrapped on a terminal, else as they are.

    Args:
        colours: The style of each verdict.
        indent: Where the name begins, and what follows of its line.
        indent_below: Where what follows of the lines below begins.
    """

    def __init__(self, colours: Mapping[str, str], indent: int, indent_below: int = 0) -> None:
        from rich.console import Console

        self._console = Console(highlight=False)
        self._colours = colours
        self._indent = indent
        self._indent_below = indent_below

    def show(self, text: str, verdict: str, name: str) -> None:
        """Print one finding."""
        if not self._console.is_terminal:
            typer.echo(text)
            return
        from rich.text import Text

        head, *below = text.splitlines()
        lines = [
            self._wrapped(head, self._indent),
            *(self._wrapped(one, self._indent_below) for one in below),
        ]
        styled = Text("\n".join(lines))
        styled.stylize(self._colours[verdict], 0, len(verdict))
        styled.stylize("bold", self._indent, self._indent + len(name))
        self._console.print(styled, soft_wrap=True)

    def _wrapped(self, line: str, indent: int) -> str:
        # Not Rich's own wrapping, which would cut an address in two; the terminal's leaves it in one piece.
        return textwrap.fill(
            line,
            self._console.width,
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
