"""Cookies: their names and attributes, and how many a browser carries."""

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartcar_auth.web.attempt import Attempt, Outcome, seal
from smartcar_auth.web.cookies import Cookies
from smartcar_auth.web.seal import Sealer
from web.browser import ATTEMPT, KEY, OTHER_KEY, attempt_id, untimed

SEALER = Sealer([KEY], "app")


def attempt(number=1, issued=100, **more):
    """An attempt with this id."""
    return Attempt(attempt_id(number), issued, "d" * 20, **more)


def carried(*attempts, secure=False, sealer=SEALER):
    """The Cookie header of a browser with these attempts."""
    prefix = "__Host-smartcar-" if secure else "smartcar-"
    return "; ".join(f"{prefix}{one.id}={seal(sealer, one)}" for one in attempts)


def cookies(header="", secure=False):
    """The cookies of a header."""
    return Cookies(header, secure=secure, sealer=SEALER)


def dropped(fields):
    """The ids of the attempts whose cookies a response drops."""
    return [value.partition("=")[0][-22:] for _, value in fields if "=; Max-Age=0" in value]


def test_cookie_over_http_is_plain_but_http_only():
    """On localhost: no Secure and no prefix that would need it, but HttpOnly and Lax."""
    [(name, value)] = cookies().put(attempt(), 60)
    assert name == "Set-Cookie"
    first, *attributes = value.split("; ")
    assert first.startswith(f"smartcar-{ATTEMPT}=")
    assert attributes == ["Max-Age=60", "Path=/", "HttpOnly", "SameSite=Lax"]


def test_cookie_over_https_is_bound_to_the_host():
    """Over https: the __Host- prefix with all that it asks for."""
    [(_, value)] = cookies(secure=True).put(attempt(), 60)
    first, *attributes = value.split("; ")
    assert first.startswith(f"__Host-smartcar-{ATTEMPT}=")
    assert attributes == ["Max-Age=60", "Path=/", "HttpOnly", "SameSite=Lax", "Secure"]


def test_cookie_is_read_back():
    """What was put comes back, also between other people's cookies."""
    one = attempt(return_to="/garage")
    found = cookies(f"session=x; {carried(one)}; y=z")
    assert attempt_id() in found
    assert found.get(attempt_id()) == one
    assert found.get(attempt_id(2)) is None


def test_cookie_without_prefix_is_ignored_over_https():
    """A sibling subdomain can plant `smartcar-...`, but not `__Host-smartcar-...`."""
    assert attempt_id() not in cookies(carried(attempt()), secure=True)
    assert attempt_id() in cookies(carried(attempt(), secure=True), secure=True)


def test_cookie_of_another_key_is_present_but_worthless():
    """A name in use is in use, whatever its value; nothing of it is believed."""
    found = cookies(carried(attempt(), sealer=Sealer([OTHER_KEY], "app")))
    assert attempt_id() in found
    assert found.get(attempt_id()) is None


def test_cookie_under_another_attempts_name_is_worthless():
    """A copied value under a name that somebody else chose is no attempt."""
    assert cookies(f"smartcar-{attempt_id(2)}={seal(SEALER, attempt(1))}").get(attempt_id(2)) is None


def test_first_of_two_cookies_counts():
    """Of two cookies with one name the first is read: browsers send the older one first."""
    header = f"{carried(attempt(issued=1))}; {carried(attempt(issued=2))}"
    assert cookies(header).get(attempt_id()).issued == 1


def test_eleventh_attempt_drops_the_oldest():
    """Ten attempts at most: the oldest goes, whatever the order in the header."""
    ten = [attempt(number, issued=500 - number) for number in range(1, 11)]
    fields = cookies(carried(*ten)).put(attempt(11, issued=600), 60)
    assert dropped(fields) == [attempt_id(10)]
    assert fields[-1][1].startswith(f"smartcar-{attempt_id(11)}=")


def test_tenth_attempt_drops_none():
    """Ten are allowed."""
    nine = [attempt(number) for number in range(1, 10)]
    assert dropped(cookies(carried(*nine)).put(attempt(10), 60)) == []


def test_outcome_replaces_its_attempt_and_drops_none():
    """Ending one of ten attempts needs no place."""
    ten = [attempt(number) for number in range(1, 11)]
    fields = cookies(carried(*ten)).end(ten[3]._replace(outcome=Outcome("granted")))
    assert len(fields) == 1
    assert "Max-Age=300;" in fields[0][1]


def test_unreadable_cookies_go_first():
    """What we can't read, such as after a dropped key, makes place before anybody's attempt."""
    readable = [attempt(number, issued=1) for number in range(1, 10)]
    alien = carried(attempt(10, issued=999), sealer=Sealer([OTHER_KEY], "app"))
    fields = cookies(f"{carried(*readable)}; {alien}").put(attempt(11, issued=600), 60)
    assert dropped(fields) == [attempt_id(10)]


def noise(seed, size):
    """Text of ASCII letters and digits that compression can't help."""
    return "".join(random.Random(seed).choices(string.ascii_letters + string.digits + "-_", k=size))


def test_garbage_is_cleared_away_at_once():
    """Planted names by the dozen leave, the person's attempt stays, and what is no id isn't touched."""
    mine = attempt(99)
    alien = [f"smartcar-{attempt_id(number)}=x" for number in range(1, 31)]
    fields = cookies("; ".join([*alien, carried(mine), "smartcar-x=y"])).put(attempt(100), 60)
    assert dropped(fields) == [attempt_id(number) for number in range(1, 23)]


def test_single_cookie_too_large_drops_all_others():
    """There is no more to drop than there is."""
    huge = attempt(2, return_to=noise(1, 6000))
    assert dropped(cookies(carried(attempt(1))).put(huge, 60)) == [attempt_id(1)]


def bulk(number, size, issued):
    """An attempt whose cookie is large and can't be compressed."""
    return attempt(number, issued=issued, app_state={"a": noise(number, size)})


@pytest.mark.parametrize("size", [200, 400, 700])
def test_cookies_stay_under_4096_bytes_together(size):
    """The oldest go until all together fit into what servers accept as one field."""
    jar = {}
    for number in range(1, 15):
        header = "; ".join(f"{name}={value}" for name, value in jar.items())
        for _, value in cookies(header).put(bulk(number, size, number), 60):
            name, _, rest = value.partition("=")
            text = rest.partition(";")[0]
            if text:
                jar[name] = text
            else:
                del jar[name]
        assert len("; ".join(f"{name}={value}" for name, value in jar.items())) < 4096
        assert f"smartcar-{attempt_id(number)}" in jar
    assert len(jar) >= 2
    assert list(jar) == [f"smartcar-{attempt_id(number)}" for number in range(15 - len(jar), 15)]


def test_big_outcome_drops_the_oldest_pending_attempts():
    """An outcome with data may be larger than its attempt was: place is made at once, oldest first."""
    pending = [bulk(number, 340, number) for number in range(1, 7)]
    header = carried(*pending)
    assert 2800 < len(header) < 4096
    fields = cookies(header).end(pending[5]._replace(outcome=Outcome("granted", None, noise(9, 1000))))
    assert dropped(fields)
    assert dropped(fields) == [attempt_id(number) for number in range(1, len(dropped(fields)) + 1)]
    left = {one.id: one for one in pending if one.id not in dropped(fields)}
    del left[pending[5].id]
    last = fields[-1][1].partition(";")[0]
    assert len("; ".join([carried(one) for one in left.values()] + [last])) < 4096


def test_largest_attempt_fits_into_a_cookie():
    """The longest return_to, state and id that are allowed fit together below a browser's limit."""
    subject = "".join(random.Random(1).choices([chr(number) for number in range(0x100, 0x600)], k=128))
    path = "/" + noise(2, 1023)
    state = {"a": noise(3, 504)}
    largest = attempt(subject=subject, app_state=state, return_to=path, page_origin="https://" + "a" * 60)
    assert len(seal(SEALER, largest)) + 38 < 4096


@untimed
@given(
    header=st.text() | st.text(alphabet="smartcar-=;A \x00").map(lambda text: f"smartcar-{ATTEMPT}={text}")
)
def test_cookies_take_any_header(header):
    """Any Cookie header is read without an exception, and what it makes us answer is printable ASCII."""
    found = cookies(header)
    assert found.get(ATTEMPT) is None
    for _, value in found.put(attempt(99), 60):
        assert value.isascii()
        assert value.isprintable()


@untimed
@given(data=st.data(), number=st.integers(1, 3))
def test_cookie_altered_anywhere_is_no_attempt(data, number):
    """With a character changed, dropped or added its value is worthless, and its neighbours' values are not."""
    three = [attempt(one) for one in (1, 2, 3)]
    pairs = {one: carried(one) for one in three}
    mine = three[number - 1]
    start = len(f"smartcar-{mine.id}=")
    place = data.draw(st.integers(start, len(pairs[mine])))
    new = data.draw(st.text(st.characters(codec="latin-1", exclude_characters=";"), max_size=2))
    altered = pairs[mine][:place] + new + pairs[mine][place + data.draw(st.integers(0, 1)) :]
    found = cookies("; ".join([altered if one is mine else pairs[one] for one in three]))
    for one in three:
        unharmed = one is not mine or altered.strip(" ") == pairs[mine]
        assert found.get(one.id) == (one if unharmed else None)


@untimed
@given(jar=st.lists(st.integers(0, 1500), max_size=12), issued=st.integers(0, 2**32 - 1))
def test_cookies_that_are_left_fit_and_the_new_one_is_there(jar, issued):
    """Whatever a browser carries: afterwards at most ten, below 4,096 bytes, and the new attempt reads as it was."""
    header = "; ".join(carried(bulk(number, size, number)) for number, size in enumerate(jar, start=1))
    new = attempt(99, issued=issued)
    fields = cookies(header).put(new, 60)
    left = [one for one in header.split("; ") if one and one[len("smartcar-") :][:22] not in dropped(fields)]
    left.append(fields[-1][1].partition(";")[0])
    assert len(left) <= 10
    assert len("; ".join(left)) < 4096
    assert cookies("; ".join(left)).get(new.id) == new
