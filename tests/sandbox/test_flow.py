"""The state machine: who meets which screen, and every error of Connect by a person's own clicks."""

import pytest

from smartcar_auth.sandbox.flow import SCREENS, STOPS
from smartcar_auth.sandbox.outcomes import ERRORS

from .conftest import REDIRECT_URI, Clock, Person, preselected, received


def test_make_skips_the_brands(person: Person) -> None:
    """A make, in any case, leads from welcome straight to its login."""
    person.opens(make="tesla")
    assert "Sign in to Tesla" in person.submits().text


def test_make_unknown(person: Person) -> None:
    """An unknown make is a brand by that name, not an error."""
    person.opens(make="edsel_motors")
    assert "Sign in to Edsel Motors" in person.submits().text


def test_single_select_vin_beats_make(person: Person) -> None:
    """A VIN decides the brand, skips the brands and leaves no choice of vehicle."""
    person.opens(make="TESLA", single_select="true", single_select_vin="WAUZZZ4G4DN000001")
    assert "Sign in to Audi" in person.submits().text
    page = person.submits(username="a@b.example", password="x")
    assert "WAUZZZ4G4DN000001" in page.text
    assert 'name="vehicle"' not in page.text
    assert received(person.submits(decision="allow"))["code"]


def test_single_select_vin_of_no_known_brand(person: Person) -> None:
    """A VIN whose brand we can't tell asks for the brand."""
    person.opens(single_select="true", single_select_vin="99999999999999999")
    person.submits()
    assert person.screen == "brands"


def test_single_select_vin_without_single_select(person: Person) -> None:
    """A VIN alone is ignored, and the controls say why."""
    page = person.opens(single_select_vin="WAUZZZ4G4DN000001")
    assert "single_select_vin was ignored" in page.text


def test_single_select_radio(person: Person) -> None:
    """Single select offers radio buttons, the first one chosen, and takes one vehicle at most."""
    page = person.reaches("grant", single_select="true")
    assert page.text.count('type="radio"') == 2
    assert len(preselected(page)) == 1
    tokens = person.exchanges(received(person.approves(page))["code"]).json()
    vehicles = person.client.get(
        "/v2.0/vehicles", headers={"authorization": f"Bearer {tokens['access_token']}"}
    )
    assert vehicles.json()["paging"]["count"] == 1


def test_single_select_false(person: Person) -> None:
    """single_select=false is the ordinary choice."""
    assert person.reaches("grant", single_select="false").text.count('type="checkbox"') == 2


def test_approval_prompt_auto_second_time(person: Person) -> None:
    """Who approved the same scope before gets no grant screen again, and the same vehicles."""
    first = person.connects()
    again = received(person.logs_in("owner@example.com"))
    assert again["user_id"] == first["user_id"]
    assert again["code"] != first["code"]


@pytest.mark.parametrize(
    "change",
    [
        {"approval_prompt": "force"},
        {"scope": "read_odometer"},
        {"application_id": "another"},
        {"single_select": "true"},
        {"mode": "simulated"},
    ],
)
def test_approval_prompt_shown_when_something_differs(person: Person, change: dict[str, str]) -> None:
    """`force`, another scope, application, mode or kind of selection shows the grant screen."""
    person.connects()
    assert "approval-button" in person.logs_in("owner@example.com", **change).text


def test_approval_prompt_other_person(person: Person) -> None:
    """Another person is asked."""
    person.connects()
    assert "approval-button" in person.logs_in("somebody.else@example.com").text


def test_country_flag_decides_the_brands(person: Person) -> None:
    """The country flag is preselected, and decides which brands are offered."""
    page = person.opens(flags="color:abcdef country:DE")
    assert '<option value="DE" selected>' in page.text
    page = person.submits(country="DE")
    offered, _, later = page.text.partition("Coming later to Germany")
    assert 'id="RENAULT"' in offered
    assert 'id="CHEVROLET"' in later


def test_country_chosen_by_the_person(person: Person) -> None:
    """The person's own choice of country counts."""
    person.opens()
    assert "Coming later to France" in person.submits(country="FR").text


def test_country_unknown(person: Person) -> None:
    """A country that the sandbox doesn't know becomes the United States, with a remark."""
    page = person.opens(flags="country:XX")
    assert '<option value="US" selected>' in page.text
    assert "knows no country XX" in page.text


@pytest.mark.parametrize(
    ("search", "token"),
    [("VW", "VOLKSWAGEN"), ("chevy", "CHEVROLET"), ("Merc", "MERCEDES"), ("land r", "LANDROVER")],
)
def test_brand_search_without_script(person: Person, search: str, token: str) -> None:
    """The search works as a plain form, by name and by alias."""
    person.reaches("brands")
    page = person.client.get(person.path, params={"q": search}).text
    assert f'id="{token}"' in page
    assert 'id="TESLA"' not in page


def test_brand_search_nothing_found(person: Person) -> None:
    """A search without a match says so."""
    person.reaches("brands")
    page = person.client.get(person.path, params={"q": "zzz<b>"}).text
    assert "0 brands found" in page
    assert "<b>" not in page


def test_login_empty(person: Person) -> None:
    """An empty form stays on the login with a message; what was typed is kept."""
    person.reaches("login")
    page = person.submits(username="owner@example.com", password="")
    assert person.screen == "login"
    assert 'role="alert"' in page.text
    assert 'value="owner@example.com"' in page.text


def test_login_wrong_password(person: Person) -> None:
    """Wrong credentials are retried inside Connect."""
    assert "don&#39;t match" in person.logs_in("smartcar@invalid-credentials.com").text
    assert "approval-button" in person.submits(username="owner@example.com", password="x").text


def test_login_cancelled(person: Person) -> None:
    """Leaving the brand's own login is oem_cancelled_login."""
    person.reaches("login")
    assert received(person.submits(action="cancel"))["error"] == "oem_cancelled_login"


def test_grant_denied(person: Person) -> None:
    """Deny is access_denied, with the state and nothing about the person."""
    person.reaches("grant")
    answer = received(person.submits(decision="deny"))
    assert answer == {
        "error": "access_denied",
        "error_description": "User denied access to application",
        "state": "the state",
    }


def test_grant_no_vehicle_chosen(person: Person) -> None:
    """Allowing without a vehicle stays on the screen with a message."""
    person.reaches("grant")
    page = person.submits(decision="allow")
    assert "Choose at least one vehicle" in page.text
    assert preselected(page) == []


def test_grant_foreign_vehicle(person: Person) -> None:
    """A vehicle id that isn't the person's own is no choice."""
    person.reaches("grant")
    assert "Choose at least one" in person.submits(vehicle="00000000-0000-4000-8000-000000000000").text


def test_grant_permissions_in_words(person: Person) -> None:
    """Permissions are shown in human words, required ones first and marked, unknown ones by name."""
    text = person.reaches("grant", scope="read_odometer required:read_location read_flux_capacitor").text
    assert text.index("See where your vehicle is") < text.index("Required") < text.index("See the distance")
    assert "Read flux capacitor" in text


@pytest.mark.parametrize("count", [1, 3, 60, 999])
def test_account_with_that_many_vehicles(person: Person, count: int) -> None:
    """<N>-vehicles@smartcar.com has N vehicles, all of which can be connected."""
    page = person.logs_in(f"{count}-vehicles@smartcar.com")
    assert len(preselected(page)) == count
    assert received(person.approves(page))["code"]


@pytest.mark.parametrize(
    ("email", "error"),
    [
        ("smartcar@vehicle-incompatible.com", "vehicle_incompatible"),
        ("5YJ3E1EA7KF000001@incompatible.smartcar.com", "vehicle_incompatible"),
        ("smartcar@invalid-subscription.com", "invalid_subscription"),
        ("smartcar@no-vehicles.com", "no_vehicles"),
        ("0-vehicles@smartcar.com", "no_vehicles"),
        ("SmartCar@Server-Error.com", "server_error"),
        ("smartcar@configuration-error.com", "configuration_error"),
        ("smartcar@missing-permission.com", "user_manually_returned_to_application"),
    ],
)
@pytest.mark.parametrize("mode", ["live", "simulated", "test"])
def test_test_account_leads_to_its_error(person: Person, email: str, error: str, mode: str) -> None:
    """A test account leads to a screen in words, and from there to its error, in every mode."""
    page = person.logs_in(email, mode=mode)
    assert "back-to-application-button" in page.text
    assert received(person.submits(action="leave"))["error"] == error


def test_dead_end_another_account(person: Person) -> None:
    """From a dead end one can go back and log in with another account."""
    person.logs_in("smartcar@no-vehicles.com")
    person.submits(action="again")
    assert person.screen == "login"
    assert "approval-button" in person.submits(username="owner@example.com", password="x").text


def test_dead_end_left_behind(person: Person) -> None:
    """Going back to a dead end after another account was used leads forward again."""
    person.logs_in("smartcar@no-vehicles.com")
    old = person.path
    person.submits(action="again")
    person.submits(username="owner@example.com", password="x")
    person.follows(person.client.get(old))
    assert person.screen == "login"


@pytest.mark.parametrize("share", [True, False])
def test_incompatible_vehicle_shared_or_not(person: Person, share: bool) -> None:
    """VIN and make are sent only if the person ticks the box."""
    person.logs_in("5YJ3E1EA7KF000001@incompatible.smartcar.com")
    answer = received(person.submits(action="leave", **({"share": "1"} if share else {})))
    expected = {"vin": "5YJ3E1EA7KF000001", "make": "CHEVROLET"} if share else {}
    assert {name: answer[name] for name in ("vin", "make") if name in answer} == expected


def test_incompatible_test_vin(person: Person) -> None:
    """The documented incompatible VIN ends before the login, and can be shared."""
    person.opens(mode="simulated", single_select="true", single_select_vin="0SCAUDI012FE3B132")
    person.submits()
    answer = received(person.submits(action="leave", share="1"))
    assert (answer["error"], answer["vin"], answer["make"]) == (
        "vehicle_incompatible",
        "0SCAUDI012FE3B132",
        "AUDI",
    )


def test_subscription_test_vin(person: Person) -> None:
    """The documented VIN without a subscription ends in invalid_subscription."""
    person.opens(mode="test", single_select="true", single_select_vin="0scaudi0155c49a95")
    person.submits()
    assert received(person.submits(action="leave"))["error"] == "invalid_subscription"


def test_brand_not_listed(person: Person) -> None:
    """'I don't see my brand' is vehicle_incompatible; the person may name the brand."""
    person.reaches("brands")
    person.submits(other="1")
    answer = received(person.submits(action="leave", share="1", make="Trabant"))
    assert (answer["error"], answer["make"]) == ("vehicle_incompatible", "Trabant")
    assert "vin" not in answer


def test_brand_not_in_this_country(person: Person) -> None:
    """A brand that comes later says so, and offers the brands again."""
    person.reaches("brands")
    page = person.submits(brand="RENAULT")
    assert "Renault is coming later to the United States" in page.text
    person.submits(action="again")
    assert person.screen == "brands"


def test_required_permission_that_no_vehicle_has(person: Person) -> None:
    """A petrol car is incompatible with an application that needs a battery."""
    page = person.logs_in("5YJ3E1EA7KF000001@fuel.smartcar.com", scope="required:read_battery")
    assert "isn&#39;t compatible" in page.text


def test_test_vin_in_live_mode(person: Person) -> None:
    """A test VIN in live mode is an error page whose Exit is configuration_error, with what was on it."""
    page = person.opens(single_select="true", single_select_vin="0SCAUDI037A5ADB1C")
    assert 'id="exit-button"' in page.text
    answer = received(person.submits())
    assert answer["error"] == "configuration_error"
    assert answer["status_code"] == "400"
    assert answer["error_message"] in page.text


def test_two_factor_code(person: Person) -> None:
    """The two-factor account asks for six digits before the grant screen."""
    person.logs_in("smartcar@two-factor.com")
    assert person.screen == "two-factor"
    assert "six digits" in person.submits(**{"verification-code": "12"}).text
    person.follows(person.client.get(f"{person.attempt}/grant"))
    assert person.screen == "login"
    person.path = f"{person.attempt}/two-factor"
    assert "approval-button" in person.submits(**{"verification-code": "123456"}).text


@pytest.mark.parametrize("email", ["smartcar@two-factor.com", "smartcar@pin.com"])
def test_second_factor_left(person: Person, email: str) -> None:
    """Leaving the code or PIN entry is user_manually_returned_to_application."""
    person.logs_in(email)
    answer = received(person.submits(action="back"))
    assert answer["error"] == "user_manually_returned_to_application"


def test_pin(person: Person) -> None:
    """The PIN account asks for four digits before the grant screen."""
    person.logs_in("smartcar@pin.com")
    assert person.screen == "pin"
    assert "four digits" in person.submits(**{"verification-code": "123456"}).text
    person.follows(person.client.get(f"{person.attempt}/grant"))
    assert person.screen == "login"
    person.path = f"{person.attempt}/pin"
    assert "approval-button" in person.submits(**{"verification-code": "1234"}).text


def test_battery_capacity_on_the_way(person: Person) -> None:
    """An account whose battery nobody knows is asked after the grant; the API knows it from then on."""
    person.approves(person.logs_in("smartcar@battery-capacity.com"))
    assert person.screen == "battery-capacity"
    assert "Choose a capacity" in person.submits().text
    code = received(person.submits(capacity="77.4"))["code"]
    headers = {"authorization": f"Bearer {person.exchanges(code).json()['access_token']}"}
    vehicle = person.client.get("/v2.0/vehicles", headers=headers).json()["vehicles"][0]
    found = person.client.get(f"/v2.0/vehicles/{vehicle}/battery/nominal_capacity", headers=headers).json()
    assert found["capacity"]["nominal"] == 77.4


def test_battery_capacity_unknown_on_the_way(person: Person) -> None:
    """Who doesn't know it connects all the same, and is asked once."""
    page = person.logs_in("smartcar@battery-capacity.com")
    person.approves(page)
    assert received(person.submits(action="unknown"))["code"]
    person.path = f"{person.attempt}/grant"
    assert received(person.approves(page))["code"]


def unknown_battery(person: Person) -> str:
    """The address at which the owner of a connected vehicle can choose its battery's capacity."""
    page = person.logs_in("smartcar@battery-capacity.com", scope="read_battery")
    person.approves(page)
    code = received(person.submits(action="unknown"))["code"]
    headers = {"authorization": f"Bearer {person.exchanges(code).json()['access_token']}"}
    vehicle = person.client.get("/v2.0/vehicles", headers=headers).json()["vehicles"][0]
    found = person.client.get(f"/v2.0/vehicles/{vehicle}/battery/nominal_capacity", headers=headers).json()
    assert found["capacity"] is None
    return f"{found['url']}{REDIRECT_URI}".removeprefix("http://127.0.0.1:9000")


@pytest.mark.parametrize("login", ["not needed", "token expired"])
def test_battery_capacity_entry(person: Person, clock: Clock, login: str) -> None:
    """The API's address leads to the choice at once, or after a login if its token is too old."""
    address = unknown_battery(person)
    if login == "token expired":
        clock.move(31 * 24 * 3600)
    person.follows(person.client.get(address))
    if login == "token expired":
        assert person.screen == "login"
        person.submits(username="smartcar@battery-capacity.com", password="x")
    assert person.screen == "battery-capacity"
    answer = received(person.submits(capacity="58"))
    assert answer.keys() == {"vehicle_id", "selected_capacity", "reason"}
    assert (answer["selected_capacity"], answer["reason"]) == ("58", "battery_capacity")


def test_battery_capacity_entry_unknown(person: Person) -> None:
    """Who doesn't know it is an error of its own there."""
    person.follows(person.client.get(unknown_battery(person)))
    answer = received(person.submits(action="unknown"))
    assert answer["error"] == "battery_capacity_no_selection"
    assert answer["vehicle_id"]


def test_battery_capacity_entry_skipped_to(person: Person) -> None:
    """Nobody gets past the login of the battery entry by changing the address."""
    query = "response_type=vehicle_id&client_id=a&vehicle_id=v&token=t"
    person.follows(person.client.get(f"/battery-capacity?{query}&redirect_uri={REDIRECT_URI}"))
    assert person.screen == "login"
    person.follows(person.client.post(f"{person.attempt}/battery-capacity", data={"capacity": "58"}))
    assert person.screen == "login"


def test_virtual_key(person: Person) -> None:
    """The virtual-key account gets one more screen, and the link to the key on the redirect."""
    page = person.logs_in("smartcar@virtual-key.com")
    person.approves(page)
    assert person.screen == "virtual-key"
    assert received(person.submits())["virtual_key_url"].startswith("https://")


def test_reauthentication(person: Person) -> None:
    """Logging in again for a connected vehicle returns its id, the state, and no code."""
    tokens = person.gets_tokens()
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    vehicle = person.client.get("/v2.0/vehicles", headers=headers).json()["vehicles"][0]
    page = person.opens("reauthenticate", response_type="vehicle_id", vehicle_id=vehicle, external_id="p.1")
    assert "Sign in to Chevrolet" in page.text
    answer = received(person.submits(username="owner@example.com", password="x"))
    assert answer == {"vehicle_id": vehicle, "state": "the state", "external_id": "p.1"}


def test_reauthentication_without_redirect_uri(person: Person) -> None:
    """With response_type=none it may end on a page of Connect."""
    person.opens("reauthenticate", response_type="none", redirect_uri=None, vehicle_id="v")
    person.submits(username="owner@example.com", password="x")
    assert person.screen == "done"


@pytest.mark.parametrize(
    ("email", "error"),
    [
        ("smartcar@invalid-subscription.com", "invalid_subscription"),
        ("smartcar@no-vehicles.com", "no_vehicles"),
    ],
)
def test_reauthentication_of_a_test_account(person: Person, email: str, error: str) -> None:
    """A test account meets its dead end there, too; the login can be left."""
    asked = {"response_type": "vehicle_id", "vehicle_id": "v"}
    person.opens("reauthenticate", **asked)
    person.submits(username=email, password="x")
    assert received(person.submits(action="leave"))["error"] == error
    person.opens("reauthenticate", **asked)
    assert received(person.submits(action="cancel"))["error"] == "oem_cancelled_login"


def test_missing_permission_named(person: Person) -> None:
    """The screen for a missing permission says which ones the application can't do without."""
    page = person.logs_in("smartcar@missing-permission.com", scope="required:read_location read_odometer")
    assert "See where your vehicle is" in page.text
    assert "See the distance" not in page.text


@pytest.mark.parametrize(
    ("vin", "code"), [("0SCLR00022F1A83F5", "DOOR_OPEN"), ("0sclr0002edab90a7", "ACCOUNT_ISSUE")]
)
def test_vin_whose_calls_fail(person: Person, vin: str, code: str) -> None:
    """The documented VINs connect, and their vehicle's calls fail later."""
    tokens = person.gets_tokens(mode="simulated", single_select="true", single_select_vin=vin)
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    vehicle = person.client.get("/v2.0/vehicles", headers=headers).json()["vehicles"][0]
    assert person.client.get(f"/v2.0/vehicles/{vehicle}/odometer", headers=headers).json()["code"] == code


def test_back_after_the_grant_and_another_account(person: Person) -> None:
    """What one account approved is nothing to the next, whatever screen's address is kept."""
    person.approves(person.logs_in("smartcar@virtual-key.com"))
    kept = person.path
    person.path = f"{person.attempt}/brands"
    person.submits(brand="BMW")
    person.follows(person.client.post(kept, data={}))
    assert person.screen == "login"


def test_reauthentication_without_vehicle(person: Person) -> None:
    """Without a vehicle id it is an error page."""
    assert "Missing parameter vehicle_id" in person.opens("reauthenticate", response_type="vehicle_id").text


def test_screens_all_in_the_table() -> None:
    """Every dead end is a screen and ends in an error that Connect has."""
    assert SCREENS.keys() >= STOPS.keys()
    assert {stop.error for stop in STOPS.values()} <= ERRORS.keys()
