"""How attempts end, in all that page, person and function are told. `outcomes.py` holds what every host shares."""

import pytest
from playwright.sync_api import expect

from browser.flow import connect_as, press
from browser.outcomes import ERRORS
from smartcar_auth import AccessDenied, VehicleIncompatible

pytestmark = pytest.mark.browser


def test_allow_connects_the_car(application, garage):
    """The pop-up closes, the function gets the code, the page gets the function's data."""
    app = application()
    page = garage(app)
    popup = page.open()
    with popup.expect_event("close"):
        connect_as(popup)
    detail = page.ended("granted")
    assert detail == {
        "outcome": "granted",
        "attempt": detail["attempt"],
        "data": {"message": "Added to the garage."},
    }
    page.says("Added to the garage.")
    assert [bool(response.code) for response in app.granted] == [True]
    assert app.errors == []


def test_allow_with_a_brand_from_the_list(application, garage):
    """Without `make` the person finds the brand by searching."""
    app = application(button={})
    page = garage(app)
    connect_as(page.open(), brand="TESLA")
    page.ended("granted")
    assert len(app.granted) == 1


def test_deny_is_told_and_asks_for_nothing(application, garage):
    """Refusing is an ordinary end: a typed error, calm words, the button ready for another try."""
    app = application()
    page = garage(app)
    popup = page.open()
    with popup.expect_event("close"):
        connect_as(popup, decision="#deny-button")
    detail = page.ended("failed")
    assert detail == {
        "outcome": "failed",
        "attempt": detail["attempt"],
        "code": "access_denied",
        "data": None,
    }
    page.says("You did not give access. Nothing was connected.")
    assert [type(error) for error in app.errors] == [AccessDenied]
    assert app.granted == []
    connect_as(page.open())
    page.ended("granted")


@pytest.mark.parametrize("shared", [True, False])
def test_incompatible_vehicle_with_and_without_its_details(application, garage, shared):
    """The application learns which car it was only where its owner agreed to share that."""
    app = application()
    page = garage(app)
    popup = page.open()
    connect_as(popup, "smartcar@vehicle-incompatible.com", decision="")
    if shared:
        popup.check("#share-vehicle-details")
    press(popup, "#back-to-application-button")
    assert page.ended("failed")["code"] == "vehicle_incompatible"
    (error,) = app.errors
    assert isinstance(error, VehicleIncompatible)
    assert (error.vehicle_info is not None) == shared
    if error.vehicle_info is not None:
        assert error.vehicle_info.make == "TESLA"


def test_every_error_of_connect_ends_with_its_code(application, garage):
    """One page, one attempt after another: each error arrives, in words too, and leaves the button ready."""
    app = application(failure=lambda request, error: {"message": f"Told: {error.code}"})
    page = garage(app)
    for wire, code in ERRORS.items():
        popup = page.open()
        popup.click(".controls summary")
        popup.select_option("#sandbox-error", wire)
        press(popup, "#sandbox-end-button")
        page.says(f"Told: {code}")
        assert page.events[-1]["detail"]["code"] == code
    assert app.codes == list(ERRORS.values())


def test_launch_that_is_refused_tells_the_page_why(application, garage):
    """A wrong option is the developer's mistake; the reason stands beside the button, not in a lost window."""
    app = application(button={"return_to": "//evil.example/"})
    page = garage(app)
    popup = page.open()
    if not popup.is_closed():
        popup.wait_for_event("close")
    assert page.ended("failed")["code"] == "invalid_configuration"
    page.says("The address to return to is not a path on this site, such as /garage.")


def test_sealed_link_passed_to_another_person(application, garage, browser):
    """A launch link made for one person is refused for another, and good for its own."""
    app = application(
        identify=True, sealed={"make": "TESLA", "external_id": "alice-1", "state": {"plan": "gold"}}
    )
    page = garage(app, "login/alice")
    link = page.element.get_attribute("launch")
    assert link is not None
    stranger = browser.new_context().new_page()
    stranger.goto(f"{app.origin}/login/bob")
    answer = stranger.goto(app.origin + link)
    assert answer is not None
    assert answer.status == 403
    expect(stranger.get_by_text("This link was made for another person.")).to_be_visible()
    # The same from a page of his that waits: it is told.
    stranger.goto(app.url)
    stranger.evaluate("link => document.querySelector('smartcar-connect').setAttribute('launch', link)", link)
    stranger.get_by_role("button", name="Connect your car").click()
    expect(stranger.get_by_role("status")).to_contain_text("made for another person")
    stranger.context.close()
    connect_as(page.open())
    page.ended("granted")
    (response,) = app.granted
    assert (response.subject, response.app_state) == ("alice", {"plan": "gold"})
