"""A redirect page without a server behind it: files on another port than the page with Python in it."""

import pytest

from browser.engines import until
from browser.flow import connect_as
from page.lab import GRANTED, holds, page_of
from page.test_endings import CANCELLED
from static_site import served

pytestmark = pytest.mark.browser

AT_REST = "location.pathname === '/redirect.html' && !location.search.includes('code=')"


@pytest.fixture(scope="module", params=[served.plainly, served.with_headers], ids=["plain", "headers"])
def files(request, site, tmp_path_factory):
    """Files that let in the site's pages; their origin."""
    with request.param(served.write(tmp_path_factory.mktemp("files"), site.origin)) as origin:
        yield origin


@pytest.fixture(scope="module")
def others_files(tmp_path_factory):
    """Files that let in the pages of somebody else."""
    with served.plainly(served.write(tmp_path_factory.mktemp("others"), "https://app.example.com")) as origin:
        yield origin


def opened(lab, files):
    """The pop-up of an attempt that comes back there, and what its console says."""
    noise = []
    lab.page.context.on("console", lambda message: noise.append(message.text))
    lab.smartcar(redirect_uri=f"{files}/redirect.html?app_origin={lab.site.origin}")
    return lab.click("smartcar.open_dialog(state='mine')"), noise


def test_person_walks_through_connect(lab, files):
    """The redirect page tells the page of the other origin and closes; no policy is broken on the way."""
    popup, noise = opened(lab, files)
    connect_as(page_of(popup), brand="TESLA")
    (told,) = lab.told()
    assert told["state"] == "mine"
    assert told["code"]
    lab.gone(popup)
    assert noise == []


def test_denial_comes_back(lab, files):
    """An answer is an answer."""
    popup, noise = opened(lab, files)
    connect_as(page_of(popup), brand="TESLA", decision="#deny-button")
    assert [one["code"] for one in lab.told()] == ["access_denied"]
    lab.gone(popup)
    assert noise == []


def test_page_that_is_not_on_the_list_is_told_nothing(lab, others_files):
    """The code stays in the window, which says in words what to do, in its own looks; its address is clean."""
    popup, noise = opened(lab, others_files)
    connect_as(page_of(popup), brand="TESLA")
    until("the answer is out of the address", lambda: holds(popup, AT_REST))
    until("the looks are there", lambda: holds(popup, "document.styleSheets.length === 1"))
    assert popup.run("[...new URLSearchParams(location.search).keys()]") == ["app_origin"]
    assert popup.run("document.querySelector('h1').textContent") == "You can close this window"
    lab.nothing_told()
    assert noise == []
    lab.run("smartcar.unmount()")
    assert lab.told() == [CANCELLED]


def test_stranger_cannot_have_the_answer_sent_to_him(lab, files):
    """Whoever puts his own origin into the address gets nothing, though he opened the window."""
    popup, _ = opened(lab, files)
    stranger = lab.site.origin.replace("localhost", "127.0.0.1")
    address = f"{files}/redirect.html?app_origin={stranger}&code=a-code&state={lab.state}"
    popup.run(f"void setTimeout(() => location.assign('{address}'))")
    until("the answer is out of the address", lambda: holds(popup, AT_REST))
    lab.nothing_told()
    lab.send(popup, f"app_origin={lab.site.origin}&code=a-code&state={lab.state}", f"{files}/redirect.html")
    lab.gone(popup)
    assert lab.told() == [{**GRANTED, "state": "mine"}]
