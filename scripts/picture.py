"""Make the README's picture from the running demo: `.venv/bin/python scripts/picture.py`."""

import base64
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]

SHEET = """
<style>
  body { margin: 0; padding: 32px 36px; box-sizing: border-box; background: linear-gradient(135deg, #dfe9f7, #f4ecf7);
         display: flex; gap: 28px; align-items: center; justify-content: center; width: 1240px; height: 560px }
  img { display: block; border-radius: 14px; box-shadow: 0 12px 40px #1b2c4426; border: 1px solid #0001 }
  .wide { width: 560px } .narrow { width: 235px }
</style>
"""


def encoded(page: Page) -> str:
    return "data:image/png;base64," + base64.b64encode(page.screenshot()).decode()


def main() -> None:
    demo = subprocess.Popen(
        [sys.executable, "-m", "smartcar_auth.cli", "demo", "--no-browser"], stdout=subprocess.PIPE, text=True
    )
    assert demo.stdout is not None
    address = next(line.strip() for line in demo.stdout if re.match(r"http://", line))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGS)
            context = browser.new_context(viewport={"width": 1120, "height": 900}, device_scale_factor=1.5)
            page = context.new_page()
            page.goto(address)
            with page.expect_popup() as opened:
                page.get_by_role("button", name="Connect your car").click()
            popup = opened.value
            popup.set_viewport_size({"width": 400, "height": 760})
            popup.wait_for_selector("#continue-button")
            popup.click("#continue-button")
            popup.wait_for_selector("#brand-search")
            brands = encoded(popup)
            popup.click("#TESLA")
            popup.fill("#username", "ann@example.com")
            popup.fill("#password", "any")
            popup.click("#sign-in-button")
            popup.wait_for_selector("#approval-button")
            grant = encoded(popup)
            with popup.expect_event("close"):
                popup.click("#approval-button")
            page.get_by_text("Odometer").first.wait_for()
            page.wait_for_timeout(300)
            after = encoded(page)
            sheet = context.new_page()
            sheet.set_viewport_size({"width": 1240, "height": 560})
            sheet.set_content(
                f'{SHEET}<img class="narrow" src="{brands}"><img class="narrow" src="{grant}">'
                f'<img class="wide" src="{after}">'
            )
            sheet.wait_for_timeout(300)
            (ROOT / "docs" / "images").mkdir(exist_ok=True)
            sheet.locator("body").screenshot(path=ROOT / "docs" / "images" / "demo.png")
            browser.close()
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(10)


if __name__ == "__main__":
    main()
