"""Connect for programs without a web server: scripts, command lines, desktop windows, boxes reached over SSH.

    response = connect(smartcar, ports=[8000, 8001])

The answer comes to a port of this machine, which is held from before Connect opens until it is here. Only the standard
library is imported, and little of it: a program that calls this shows Connect before others have imported their client.

    address.py    where the answer comes to
    port.py       the port, its sockets and HTTP
    attempt.py    one attempt: what goes out, what may end it
    page.py       what the browser shows at the end
    browser.py    opening one; how one elsewhere gets here
    place.py      where this program runs
    typed.py      lines from the terminal
    terminal.py   waiting together with the person

RFC 8252, 7.3: "Loopback Interface Redirection".
"""

from __future__ import annotations

from smartcar_auth import Cancelled, SmartcarAuthError

from .attempt import Attempt
from .browser import Opening, open_browser
from .terminal import accompany, to_stderr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Unpack

    from smartcar_auth import AuthorizationResponse, Smartcar
    from smartcar_auth.request import RequestOptions

    from .browser import Browser

__all__ = ["Attempt", "Opening", "accompany", "connect", "connect_async", "open_browser"]


def connect(
    smartcar: Smartcar,
    *,
    ports: Iterable[int] | None = None,
    timeout_seconds: float = 600,
    browser: Browser | None = "system",
    paste: bool | None = None,
    say: Callable[[str], object] | None = to_stderr,
    **options: Unpack[RequestOptions],
) -> AuthorizationResponse:
    """Open Connect in a browser and wait for the answer. Ctrl-C ends it, as it ends any wait.

    Args:
        smartcar: Its redirect URI says where the answer comes to: `http://localhost:PORT/path`, or one through
            jupyter-server-proxy. Its `on_complete`, if it has one, is told how the attempt ended, once.
        ports: Those whose redirect URIs are registered, tried in this order. None: the redirect URI's own. Without a
            redirect URI the path is /callback. 0, any free port, is for the sandbox. An empty list holds none: the
            redirect URI is any one then, and the answer has to be pasted.
        timeout_seconds: How long the person may take.
        browser: "system" is the person's own; "app" a window without tabs, where a browser has such; None opens none.
        paste: Whether the person may paste the address at which a browser elsewhere ends. None: if standard input is a
            terminal and this is the main thread.
        say: Shows the address, and how to reach this program, to the person. None: nobody reads.
        options: make, single_select, single_select_vin, flags, user, force_prompt, as in `Smartcar.get_auth_url`.

    Raises:
        ConfigurationError: An option can't work, or no port is known.
        PortUnavailable: Other programs hold all the ports.
        BrowserUnavailable: No browser opens, and `say` is None.
        ConnectError: Connect said no.
        MissingParameter, AmbiguousResponse: Connect's answer makes no sense.
        ConnectTimeout: The time is over. Its cause is the last answer that was not believed, if one came.
    """
    with Attempt(smartcar, ports=ports, timeout_seconds=timeout_seconds, **options) as attempt:
        return accompany(attempt, browser=browser, paste=paste, say=say)


async def connect_async(
    smartcar: Smartcar,
    *,
    ports: Iterable[int] | None = None,
    timeout_seconds: float = 600,
    browser: Browser | None = "system",
    say: Callable[[str], object] | None = to_stderr,
    **options: Unpack[RequestOptions],
) -> AuthorizationResponse:
    """`connect` in an event loop, which goes on meanwhile. Cancelling the task ends the attempt and frees the port.

    Args: those of `connect`, without `paste`: the terminal is the loop's. `on_complete` may be a coroutine function.

    Raises:
        SmartcarAuthError: As `connect`.
    """
    import asyncio
    import inspect
    from concurrent.futures import ThreadPoolExecutor

    async def tell(error: SmartcarAuthError | None, answer: AuthorizationResponse | None) -> None:
        if smartcar.on_complete is not None:
            told = smartcar.on_complete(error, answer)
            if inspect.isawaitable(told):
                await told

    loop = asyncio.get_running_loop()
    quiet = smartcar.replace(on_complete=None)  # it is called here, in the loop's thread
    with (
        Attempt(quiet, ports=ports, timeout_seconds=timeout_seconds, **options) as attempt,
        ThreadPoolExecutor(
            1, "smartcar-auth"
        ) as thread,  # of its own: a default one is for what takes no minutes
    ):
        there = None if say is None else lambda text: loop.call_soon_threadsafe(say, text)
        waiting = loop.run_in_executor(
            thread, lambda: accompany(attempt, browser=browser, paste=False, say=there)
        )
        try:
            await asyncio.wait([waiting])
            response = waiting.result()
        except asyncio.CancelledError:
            attempt.cancel()
            await asyncio.wait([waiting])
            waiting.exception()  # has been looked at, so nobody is warned of it
            await tell(Cancelled(), None)
            raise
        except SmartcarAuthError as error:
            await tell(error, None)
            raise
        finally:
            attempt.cancel()  # ends the thread, whatever has ended the wait
    await tell(None, response)
    return response
