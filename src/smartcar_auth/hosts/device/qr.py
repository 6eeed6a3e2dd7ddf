"""QR codes of an address: for terminals as text, for pages as SVG."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from segno import QRCode

# Upper and lower half of a character cell, dark where the code is.
_HALVES = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}
_BLACK_ON_WHITE, _RESET = "\033[38;5;16;48;5;231m", "\033[0m"
_QUIET = 2  # modules around it; a terminal's cells are read with that, too


def text(address: str, *, coloured: bool) -> str:
    """The code in half blocks, two modules to a character.

    Args:
        address: What it says.
        coloured: Black on white whatever the terminal's colours are; else its own, which on a dark one is inverted.
    """
    rows = [list(row) for row in _code(address).matrix_iter(border=_QUIET)]
    rows.append([0] * len(rows[0]))
    lines = [
        "".join(_HALVES[bool(above), bool(below)] for above, below in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=False)
    ]
    return "\n".join(f"{_BLACK_ON_WHITE}{line}{_RESET}" if coloured else line for line in lines)


def svg(address: str, *, scale: int) -> str:
    """The code as an `<svg>` element, without style, script or outside resources.

    Args:
        address: What it says.
        scale: Pixels to a module.
    """
    return _code(address).svg_inline(
        scale=scale, light="white", title="QR code of the address of Smartcar Connect"
    )


def image(address: str, *, scale: int) -> str:
    """The code as the `data:` address of an SVG, for an `<img>`.

    Args:
        address: What it says.
        scale: Pixels to a module.
    """
    return _code(address).svg_data_uri(scale=scale, light="white")


def _code(address: str) -> QRCode:
    try:
        import segno
    except ImportError as error:
        raise ImportError(
            'QR codes are drawn by segno. Install it with: pip install "smartcar-auth[cli]"', name="segno"
        ) from error
    # The lowest correction gives the largest modules, and a screen has no dirt on it.
    return segno.make(address, error="l", boost_error=False, micro=False)
