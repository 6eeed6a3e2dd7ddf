"""A notebook in JupyterLab or Notebook 7, and a button in it, as a person has them before them."""

from itertools import count

from playwright.sync_api import BrowserContext, Locator, Page, expect

from browser.engines import SECONDS
from browser.flow import connect_as
from notebooks.serving import Served, write_notebook

_notebooks = count(1)

SETTINGS = """
import asyncio
from smartcar_auth import Smartcar, SmartcarAuthError, hosted_redirect_uri
from smartcar_auth.hosts.notebook import ConnectButton

def made(connect_origin=None, redirect_uri=None, **options):
    smartcar = Smartcar(application_id="an-application", connect_origin=connect_origin, redirect_uri=redirect_uri)
    options = {"make": "TESLA", **({} if redirect_uri else {"ports": [0]}), **options}
    button = ConnectButton(smartcar, **options)

    @button.on_complete
    def told(error, response):
        print("told", error.code if error else response.code)

    return button

async def awaited(button):
    try:
        print("granted", (await button.result()).code)
    except SmartcarAuthError as error:
        print("failed", error.code)
"""
PANEL = "[...window.jupyterapp.shell.widgets('main')].find((one) => one.content?.widgets)"


class Notebook:
    """One notebook with a kernel of its own."""

    def __init__(
        self, context: BrowserContext, served: Served, *, app: str = "lab/workspaces/{}/tree"
    ) -> None:
        number = next(_notebooks)
        name = f"notebook-{number}.ipynb"
        write_notebook(served.folder / name, "")
        self.file = served.folder / name
        self.page = context.new_page()
        self.page.goto(f"{served.origin}/{app.format(number)}/{name}")  # others are restored in one workspace
        self.page.wait_for_function(
            f"window.jupyterapp && {PANEL}?.sessionContext?.session?.kernel?.connectionStatus === 'connected'",
            timeout=60_000,
        )
        self.page.evaluate(f"{PANEL}.revealed")
        self.runs(SETTINGS)

    def runs(self, source: str) -> "Cell":
        """A cell that begins to run now."""
        number = self.page.evaluate(
            f"""(source) => {{
                const notebook = {PANEL}.content;
                const number = notebook.widgets.length - 1;
                notebook.activeCellIndex = number;
                notebook.widgets[number].model.sharedModel.setSource(source);
                window.jupyterapp.commands.execute("notebook:run-cell-and-insert-below");
                return number;
            }}""",
            source,
        )
        return Cell(self.page, number)


class Cell:
    """What stands under a cell: a button's parts, and what was printed."""

    def __init__(self, page: Page, number: int) -> None:
        self.page = page
        self.root = page.locator(".jp-Notebook .jp-Cell").nth(number).locator(".jp-Cell-outputArea")

    @property
    def button(self) -> Locator:
        return self.root.get_by_role("button", name="Connect your car", exact=True)

    @property
    def status(self) -> Locator:
        return self.root.get_by_role("status")

    def action(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=name, exact=True)

    def opens(self, button: Locator | None = None) -> Page:
        """Click, and the window, once Connect is in it."""
        with self.page.expect_popup() as opened:
            (button or self.button).click()
        opened.value.wait_for_selector("#continue-button")
        return opened.value

    def says(self, text: str) -> None:
        expect(self.status).to_have_text(text, timeout=SECONDS * 1000)

    def prints(self, text: str) -> None:
        expect(self.root).to_contain_text(text, timeout=SECONDS * 1000)

    def printed(self, word: str) -> str:
        """What was printed after this word."""
        self.prints(f"{word} ")
        return self.root.inner_text().split(f"{word} ")[1].split()[0]


def allows(window: Page) -> None:
    """And the window is closed for its person."""
    with window.expect_event("close"):
        connect_as(window)
