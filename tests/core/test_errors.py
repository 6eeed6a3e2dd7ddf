"""The tree of errors."""

import copy
import logging
import pickle

import pytest

import smartcar_auth
from smartcar_auth import (
    AccessDenied,
    ApplicationConfigurationError,
    ConfigurationError,
    ConnectError,
    ConnectTimeout,
    InvalidResponse,
    NotCompleted,
    Smartcar,
    SmartcarAuthError,
    StateMismatch,
    UnknownConnectError,
    UserExited,
    VehicleIncompatible,
    VehicleInfo,
    errors,
)

CODES = {
    "SmartcarAuthError": "smartcar_auth_error",
    "ConfigurationError": "invalid_configuration",
    "ConnectError": "unknown_error",
    "AccessDenied": "access_denied",
    "VehicleIncompatible": "vehicle_incompatible",
    "InvalidSubscription": "invalid_subscription",
    "NoVehicles": "no_vehicles",
    "ApplicationConfigurationError": "configuration_error",
    "ServerError": "server_error",
    "OemLoginCancelled": "oem_cancelled_login",
    "UserExited": "user_exited",
    "UnknownConnectError": "unknown_error",
    "InvalidResponse": "invalid_response",
    "StateMismatch": "state_mismatch",
    "MissingParameter": "missing_parameter",
    "DuplicateParameter": "duplicate_parameter",
    "AmbiguousResponse": "ambiguous_response",
    "UntrustedOrigin": "untrusted_origin",
    "NotCompleted": "not_completed",
    "PopupBlocked": "popup_blocked",
    "Cancelled": "cancelled",
    "ConnectTimeout": "timeout",
    "BrowserUnavailable": "browser_unavailable",
    "PortUnavailable": "port_unavailable",
}
CLASSES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type)
    and issubclass(value, SmartcarAuthError)
    and value.__module__ == errors.__name__
]


def answered(text):
    """The error that an answer raises."""
    with pytest.raises(SmartcarAuthError) as caught:
        Smartcar(application_id="a").read_response("state=s&" + text, state="s")
    return caught.value


def test_errors_have_the_documented_codes():
    """Every class is in the table, with its code, and is exported by the package."""
    assert {kind.__name__: kind.code for kind in CLASSES} == CODES
    assert all(getattr(smartcar_auth, name) is getattr(errors, name) for name in CODES)
    assert set(CODES) <= set(smartcar_auth.__all__)


def test_errors_docstring_draws_every_class():
    """The tree at the top of the module is complete."""
    assert all(name in errors.__doc__ for name in CODES)


def test_errors_are_in_one_of_four_branches():
    """Whose move it is: the caller's, Connect's, the answer's, nobody's."""
    branches = (ConfigurationError, ConnectError, InvalidResponse, NotCompleted)
    assert all(issubclass(kind, branches) for kind in CLASSES if kind is not SmartcarAuthError)


def test_errors_are_also_the_built_in_ones():
    """A ConfigurationError is a ValueError, a ConnectTimeout a TimeoutError."""
    assert issubclass(ConfigurationError, ValueError)
    assert issubclass(ConnectTimeout, TimeoutError)


@pytest.mark.parametrize("kind", CLASSES)
def test_error_without_words_says_what_to_do(kind):
    """Each class has a sentence of its own, and nothing from Connect."""
    error = kind()
    assert len(str(error)) > 30
    assert str(error)[-1] == "."
    assert (error.description, error.response) == (None, None)
    assert str(kind("Other words.")) == "Other words."


@pytest.mark.parametrize("kind", CLASSES)
def test_error_survives_copy_and_pickle(kind):
    """A worker can hand any error to another process, with all it holds."""
    error = kind("Words.")
    error.error, error.description = "wire", "said"
    for twin in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert type(twin) is kind
        assert str(twin) == "Words."
        assert vars(twin) == vars(error)


def test_connect_error_survives_pickle_with_its_response():
    """The response, the vehicle and the causes come along."""
    error = pickle.loads(pickle.dumps(answered("error=vehicle_incompatible&vin=V1&year=2020&vehicle_id=v")))
    assert error.response.vehicle_id == "v"
    assert error.vehicle_info == VehicleInfo(vin="V1", year=2020)
    assert pickle.loads(pickle.dumps(StateMismatch("x", cause="replayed"))).cause == "replayed"


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        ("access_denied", "AccessDenied"),
        ("vehicle_incompatible", "VehicleIncompatible"),
        ("invalid_subscription", "InvalidSubscription"),
        ("no_vehicles", "NoVehicles"),
        ("configuration_error", "ApplicationConfigurationError"),
        ("server_error", "ServerError"),
        ("oem_cancelled_login", "OemLoginCancelled"),
        ("user_manually_returned_to_application", "UserExited"),
        ("user_cancelled", "UserExited"),
        ("user_exited", "UserExited"),
        ("battery_capacity_no_selection", "UnknownConnectError"),
    ],
)
def test_wire_error_has_its_class(wire, name):
    """Connect's word becomes a class, and stays readable word for word."""
    error = answered(f"error={wire}&error_description=a+b%20c&external_id=e")
    assert type(error).__name__ == name
    assert (error.error, error.description, error.response.external_id) == (wire, "a b c", "e")
    assert wire in str(error) or name == "UserExited"


def test_connect_error_class_knows_its_wire_error():
    """Raised by hand, in a test for example, it has the wire's name too."""
    assert AccessDenied().error == "access_denied"
    assert UserExited().error == "user_exited"
    assert UserExited(error="user_cancelled").error == "user_cancelled"
    assert UnknownConnectError().error is None


def test_error_text_never_repeats_the_answer(caplog):
    """Codes, states, VINs and Connect's words stay out of str, repr and a logged traceback."""
    secrets = ["s3cretvin", "s3cretwords", "s3cretmessage", "s3cretcode", "s3crettoken"]
    answers = [
        "error=vehicle_incompatible&vin=s3cretvin&error_description=s3cretwords",
        "error=configuration_error&error_message=s3cretmessage&status_code=400",
        "error=access_denied&code=s3cretcode",
        "error=S3CRETTOKEN%0A&error_description=s3cretwords",
        "code=s3cretcode&code=s3cretcode",
        "user_id=s3cretwords",
    ]
    for answer in answers:
        error = answered(answer)
        try:
            raise error
        except SmartcarAuthError:
            logging.getLogger("test").exception("failed")
        shown = f"{error} {error!r} {error.response!r} {caplog.text}".lower()
        assert not [secret for secret in secrets if secret in shown], answer


@pytest.mark.parametrize("wire", ["a" * 65, "Abc", "a b", "a-b", "ä", "a\nb"])
def test_unknown_error_repeats_only_a_plain_token(wire):
    """What an attacker might write for the log isn't repeated, but stays in .error."""
    error = UnknownConnectError(error=wire)
    assert wire not in str(error)
    assert error.error == wire
    assert "new_thing" in str(UnknownConnectError(error="new_thing"))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("vin=V&make=KIA&model=Niro&year=2021", ("V", "KIA", "Niro", 2021)),
        ("make=KIA&vin=", (None, "KIA", None, None)),
        ("year=soon", (None, None, None, None)),
        ("vin=V&year=2021.5", ("V", None, None, None)),
        ("vin=V&year=%D9%A3", ("V", None, None, None)),
        ("vin=V&year=-1", ("V", None, None, None)),
        ("vin=V&year=" + "9" * 5000, ("V", None, None, None)),
    ],
)
def test_vehicle_incompatible_tells_the_vehicle(answer, expected):
    """What Connect shared, the year as a number or not at all."""
    info = answered("error=vehicle_incompatible&" + answer).vehicle_info
    assert (info.vin, info.make, info.model, info.year) == expected


def test_vehicle_incompatible_without_vehicle_has_none():
    """Nothing shared, nothing there."""
    assert answered("error=vehicle_incompatible&vin=&year=").vehicle_info is None
    assert VehicleIncompatible().vehicle_info is None


def test_vehicle_info_is_a_value():
    """Reads like an object and like a dict, hides the VIN, compares and doesn't change."""
    info = VehicleInfo(vin="5YJSA1E14FF101307", make="TESLA")
    assert info["make"] == info.make == "TESLA"
    assert dict(info) == {"vin": "5YJSA1E14FF101307", "make": "TESLA", "model": None, "year": None}
    assert "5YJSA" not in repr(info)
    assert info == VehicleInfo("5YJSA1E14FF101307", "TESLA")
    assert hash(info) == hash(VehicleInfo("5YJSA1E14FF101307", "TESLA"))
    assert info != VehicleInfo()
    with pytest.raises(KeyError):
        info["colour"]
    with pytest.raises(AttributeError):
        info.vin = "x"


@pytest.mark.parametrize(("text", "number"), [("400", 400), ("", None), ("4x", None), ("1_0", None)])
def test_application_configuration_error_keeps_what_the_person_saw(text, number):
    """Status and message are there for the developer, the status as a number or None."""
    error = answered(f"error=configuration_error&status_code={text}&error_message=Bad+VIN")
    assert (error.status_code, error.error_message) == (number, "Bad VIN")
    assert ApplicationConfigurationError().status_code is None


def test_state_mismatch_has_one_of_six_causes():
    """A cause outside the list is the caller's mistake."""
    for cause in ("missing", "altered", "expired", "other_browser", "other_person", "replayed"):
        assert StateMismatch("x", cause=cause).cause == cause
    with pytest.raises(ConfigurationError, match="cause"):
        StateMismatch("x", cause="other")
