"""Each way an attempt ends, told to the page, to the person and to the application's function."""

import pytest
from playwright.sync_api import expect

from browser.flow import connect_as, press
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


# The error on the wire -> the code in the event.
WIRE_ERRORS = {
    "access_denied": "access_denied",
    "vehicle_incompatible": "vehicle_incompatible",
    "invalid_subscription": "invalid_subscription",
    "no_vehicles": "no_vehicles",
    "configuration_error": "configuration_error",
    "server_error": "server_error",
    "oem_cancelled_login": "oem_cancelled_login",
    "user_manually_returned_to_application": "user_exited",
    "user_cancelled": "user_exited",
    "battery_capacity_no_selection": "unknown_error",
}


def test_every_error_of_connect_ends_with_its_code(application, garage):
    """One page, one attempt after another: each error arrives, in words too, and leaves the button ready."""
    app = application(failure=lambda request, error: {"message": f"Told: {error.code}"})
    page = garage(app)
    for wire, code in WIRE_ERRORS.items():
        popup = page.open()
        popup.click(".controls summary")
        popup.select_option("#sandbox-error", wire)
        press(popup, "#sandbox-end-button")
        page.says(f"Told: {code}")
        assert page.events[-1]["detail"]["code"] == code
    assert app.codes == list(WIRE_ERRORS.values())


def test_function_that_fails_is_told_as_such(application, garage):
    """`on_complete` raised: the page's promise says `handler_failed`, `on_error` is not called."""

    def fail(request, response):
        raise RuntimeError(f"The database did not take {response.code}.")

    app = application(outcome=fail)
    page = garage(app)
    popup = page.open()
    with popup.expect_event("close"):
        connect_as(popup)
    assert page.ended("failed")["code"] == "handler_failed"
    page.says("You gave access, but the app could not finish. Please try again.")
    assert app.errors == []


def test_function_that_answers_with_a_page_keeps_the_window(application, garage, page):
    """A response of the framework's own is what the person reads; the page learns the outcome when asked."""
    from fastapi.responses import HTMLResponse

    app = application(outcome=lambda request, response: HTMLResponse("<h1>One more question</h1>"))
    garage_page = garage(app)
    popup = garage_page.open()
    connect_as(popup)
    expect(popup.locator("h1")).to_have_text("One more question")
    page.evaluate("dispatchEvent(new Event('focus'))")
    assert garage_page.ended("granted")["data"] is None


def test_launch_that_is_refused_tells_the_page_why(application, garage):
    """A wrong option is the developer's mistake; the reason stands beside the button, not in a lost window."""
    app = application(button={"return_to": "//evil.example/"})
    page = garage(app)
    popup = page.open()
    if not popup.is_closed():
        popup.wait_for_event("close")
    assert page.ended("failed")["code"] == "invalid_configuration"
    page.says("The address to return to is not a path on this site, such as /garage.")


def test_another_person_logged_in_at_the_callback(application, garage, context):
    """The car of one person never lands with another: a page in words, and the first page still waits."""
    app = application(identify=True)
    page = garage(app, "login/alice")
    popup = page.open()
    connect_as(popup, decision="")
    context.new_page().goto(f"{app.origin}/login/bob")
    press(popup, "#approval-button")
    expect(popup.locator("h1")).to_have_text("Somebody else is logged in now")
    assert [(error.code, error.cause) for error in app.errors] == [("state_mismatch", "other_person")]
    assert app.granted == []
    assert [event["name"] for event in page.events] == ["opened"]
    popup.close()
    page.says("Still connecting?")


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


def test_strict_session_cookie_is_settled_at_launch(application, garage):
    """A `SameSite=Strict` session does not come along from Connect; the person is known from the launch."""
    app = application(identify=True)
    page = garage(app, "login/alice?samesite=strict")
    connect_as(page.open())
    page.ended("granted")
    assert [response.subject for response in app.granted] == ["alice"]
