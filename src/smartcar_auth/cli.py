"""The `smartcar-auth` command: its way in, which works without any extra and says what is missing."""

import sys


def main() -> None:
    """Run the command line. Exit status 2 where the command line itself is not installed."""
    try:
        from smartcar_auth.commands import app
    except ImportError as error:
        if error.name not in ("typer", "click", "rich"):
            raise
        print(
            'The smartcar-auth command needs its extra: pip install "smartcar-auth[cli]" '
            '(or "smartcar-auth[demo]" for everything that the demo needs).',
            file=sys.stderr,
        )
        sys.exit(2)
    app(prog_name="smartcar-auth")


if __name__ == "__main__":
    main()
