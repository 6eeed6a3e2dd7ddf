"""The element as a component: its events, its names for assistive technology, its manners on the page."""

import pytest
from playwright.sync_api import expect

from browser.application import PAGE
from browser.flow import connect_as, press

pytestmark = pytest.mark.browser


def test_events_bubble_and_are_composed(application, garage):
    """A listener on the window, outside any shadow tree, sees each of them, with one shape of detail."""
    app = application(button={"make": "TESLA", "id": "one"})
    page = garage(app)
    connect_as(page.open())
    page.ended("granted")
    assert [(e["name"], e["bubbles"], e["composed"], e["target"]) for e in page.events] == [
        ("opened", True, True, "one"),
        ("granted", True, True, "one"),
    ]
    opened, granted = (event["detail"] for event in page.events)
    assert opened == {"outcome": "pending", "attempt": granted["attempt"], "data": None}


def test_names_and_states_for_assistive_technology(application, garage):
    """The name stays, the description tells of the window, the state is announced politely, focus returns."""
    app = application()
    page = garage(app)
    expect(page.button).to_have_accessible_description("Opens a new window")
    expect(page.status).to_have_text("")
    popup = page.open()
    expect(page.button).to_have_accessible_name("Connect your car")
    page.says("Waiting for you in the other window.")
    popup.wait_for_selector("#continue-button")
    popup.close()
    expect(page.cancel).to_be_visible()
    expect(page.button).to_have_accessible_name("Connect your car")
    page.cancel.click()
    page.says("Cancelled. Nothing was connected.")
    expect(page.button).to_be_focused()


def test_live_region_is_there_before_it_speaks(application, garage):
    """A region that appears together with its text is not announced by some screen readers."""
    page = garage(application())
    assert page.page.evaluate(
        "(() => { const region = document.querySelector('smartcar-connect').shadowRoot"
        ".querySelector('[role=status]'); return region.checkVisibility() })()"
    )


def test_keyboard_alone_is_enough(application, garage, page):
    """Tab and Enter open the window, reopen it, and cancel."""
    app = application()
    garage_page = garage(app)
    page.keyboard.press("Tab")
    expect(garage_page.button).to_be_focused()
    with page.expect_popup() as opened:
        page.keyboard.press("Enter")
    opened.value.close()
    expect(garage_page.reopen).to_be_visible()
    page.keyboard.press("Tab")
    expect(garage_page.reopen).to_be_focused()
    with page.expect_popup() as opened:
        page.keyboard.press("Enter")
    opened.value.wait_for_selector("#continue-button")
    opened.value.close()
    expect(garage_page.cancel).to_be_visible()
    garage_page.button.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(garage_page.cancel).to_be_focused()
    page.keyboard.press("Enter")
    assert garage_page.ended("failed")["code"] == "cancelled"
    expect(garage_page.button).to_be_focused()


def test_connect_by_keyboard(application, garage, page):
    """The whole flow without a mouse."""
    app = application()
    garage_page = garage(app)
    garage_page.button.focus()
    with page.expect_popup() as opened:
        page.keyboard.press("Enter")
    popup = opened.value
    popup.locator("#continue-button").press("Enter")
    popup.locator("#username").press_sequentially("keyboard@example.com")
    popup.keyboard.press("Tab")
    popup.keyboard.type("any")
    popup.keyboard.press("Enter")
    popup.locator("#approval-button").focus()
    press(popup, "Enter", by="keyboard")
    garage_page.ended("granted")
    expect(garage_page.button).to_be_focused()


def test_focus_stays_where_the_person_went(application, garage, page):
    """Whoever types elsewhere on the page meanwhile is not torn away."""
    app = application(page=PAGE.replace("</h1>", "</h1><input id=field>"))
    garage_page = garage(app)
    popup = garage_page.open()
    page.focus("#field")
    connect_as(popup, decision="#deny-button")
    garage_page.ended("failed")
    expect(page.locator("#field")).to_be_focused()


def test_click_on_the_words_does_nothing(application, garage, context):
    """Only the button opens; a click on the status beside it is no wish to connect."""
    page = garage(application())
    connect_as(page.open(), decision="#deny-button")
    page.ended("failed")
    page.status.click()
    page.page.wait_for_timeout(100)
    assert len(context.pages) == 1


def test_element_in_a_form_or_link_keeps_the_page(application, garage, page):
    """The click is the element's: no form is sent, no link followed, and script may click too."""
    button = '{{ smartcar_button(request, "Connect your car", **button) }}'
    app = application(
        page=PAGE.replace(button, f'<form action="/elsewhere"><a href="/elsewhere">{button}</a></form>')
    )
    garage_page = garage(app)
    popup = garage_page.open()
    assert page.url == app.url
    connect_as(popup)
    garage_page.ended("granted")
    with page.expect_popup():
        page.evaluate("document.querySelector('smartcar-connect').click()")


def test_two_elements_on_one_page(application, garage, page):
    """Each speaks for its own attempt."""
    button = '{{ smartcar_button(request, "Connect your car", **button) }}'
    app = application(
        page=PAGE.replace(button, button + button.replace("**button", 'id="second", make="BMW"')),
        button={"make": "TESLA", "id": "first"},
    )
    garage_page = garage(app)
    buttons = page.get_by_role("button", name="Connect your car")
    first = garage_page.open(buttons.nth(0))
    second = garage_page.open(buttons.nth(1))
    connect_as(second, decision="#deny-button")
    garage_page.ended("failed")
    connect_as(first)
    garage_page.ended("granted")
    assert [(event["name"], event["target"]) for event in garage_page.events] == [
        ("opened", "first"),
        ("opened", "second"),
        ("failed", "second"),
        ("granted", "first"),
    ]
    statuses = page.get_by_role("status")
    expect(statuses.nth(0)).to_have_text("Added to the garage.")
    expect(statuses.nth(1)).to_have_text("You did not give access. Nothing was connected.")


def test_element_moved_while_it_waits(application, garage, page):
    """Frameworks take elements out and put them back; the attempt goes on, the button is there once."""
    app = application()
    garage_page = garage(app)
    popup = garage_page.open()
    page.evaluate(
        "(() => { const element = document.querySelector('smartcar-connect'); element.remove();"
        " document.body.append(element) })()"
    )
    expect(page.get_by_role("button", name="Connect your car")).to_have_count(1)
    connect_as(popup)
    garage_page.ended("granted")
    garage_page.says("Added to the garage.")


def test_module_evaluated_twice(application, garage, page):
    """The stable and the hashed address are two modules; the first defines the element, the second is quiet."""
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    app = application(modules=("/smartcar/connect.js", "/smartcar/connect.js?again"))
    garage_page = garage(app)
    connect_as(garage_page.open())
    garage_page.ended("granted")
    assert errors == []


def test_attributes_count_when_the_button_is_pressed(application, garage, page):
    """Attributes changed by script later are the ones that hold."""
    app = application()
    garage_page = garage(app)
    page.evaluate(
        "document.querySelector('smartcar-connect').setAttribute('launch', '/smartcar/launch?make=BMW')"
    )
    popup = garage_page.open()
    popup.click("#continue-button")
    expect(popup.get_by_role("heading", name="Sign in to BMW")).to_be_visible()


def test_element_without_launch_says_what_is_missing(application, garage, page, context):
    """A developer's mistake is read where it is seen, and no window opens for it."""
    garage_page = garage(application())
    page.evaluate("document.querySelector('smartcar-connect').removeAttribute('launch')")
    garage_page.button.click()
    assert garage_page.ended("failed")["code"] == "invalid_configuration"
    expect(garage_page.status).to_contain_text("launch")
    assert len(context.pages) == 1


def test_element_made_by_script_has_a_name(application, garage, page):
    """Without a label it reads "Connect your car"; a link given later becomes the label."""
    garage(application())
    page.evaluate("document.body.append(document.createElement('smartcar-connect'))")
    buttons = page.get_by_role("button", name="Connect your car")
    expect(buttons).to_have_count(2)
    page.evaluate(
        "document.querySelectorAll('smartcar-connect')[1].innerHTML = '<a href=\"/x\">Add a <b>car</b></a>'"
    )
    expect(page.get_by_role("button", name="Add a car", exact=True)).to_be_visible()
    expect(page.get_by_role("link")).to_have_count(0)


def test_words_are_translated_by_a_module_that_comes_first(application, garage, page):
    """`words` is exported to be changed: labels, states and errors speak the application's language."""
    app = application(
        page=PAGE.replace("<h1>", '<script type="module" src="/german.js"></script><h1>'),
    )
    app.scripts["german.js"] = """
        import { words } from "/smartcar/connect.js";
        Object.assign(words, {
          describe: "Öffnet ein neues Fenster", closed: "Noch dabei?", cancel: "Abbrechen", cancelled: "Abgebrochen.",
        });
    """
    garage_page = garage(app)
    expect(garage_page.button).to_have_accessible_description("Öffnet ein neues Fenster")
    garage_page.open().close()
    garage_page.says("Noch dabei?")
    page.get_by_role("button", name="Abbrechen").click()
    garage_page.says("Abgebrochen.")


def test_nothing_stays_behind_after_the_end(application, garage, page, context):
    """Listeners, channels and timers of an attempt end with it."""
    page.add_init_script("""
      window.channels = new Set(); window.timers = new Set();
      window.BroadcastChannel = class extends BroadcastChannel {
        constructor(name) { super(name); channels.add(this) }
        close() { channels.delete(this); super.close() }
      };
      const [start, stop] = [setInterval, clearInterval];
      window.setInterval = (...args) => { const id = start(...args); timers.add(id); return id };
      window.clearInterval = (id) => { timers.delete(id); stop(id) };
    """)
    app = application()
    garage_page = garage(app)
    session = context.new_cdp_session(page)

    def listeners():
        window = session.send("Runtime.evaluate", {"expression": "window"})["result"]["objectId"]
        found = session.send("DOMDebugger.getEventListeners", {"objectId": window})["listeners"]
        ours = ("focus", "message", "visibilitychange", "pageshow")  # Playwright has some of its own
        return sorted(one["type"] for one in found if one["type"] in ours)

    before = listeners()
    connect_as(garage_page.open())
    garage_page.ended("granted")
    connect_as(garage_page.open(), decision="#deny-button")
    garage_page.ended("failed")
    garage_page.open().close()
    garage_page.open(garage_page.reopen).close()
    garage_page.cancel.click()
    garage_page.says("Cancelled. Nothing was connected.")
    assert page.evaluate("[channels.size, timers.size]") == [0, 0]
    assert listeners() == before


def test_hidden_attribute_hides(application, garage, page):
    """The element's own `display` does not overrule what the page asks for."""
    garage_page = garage(application())
    page.evaluate("document.querySelector('smartcar-connect').hidden = true")
    expect(garage_page.element).to_be_hidden()


def test_focus_returns_inside_another_component(application, garage, page):
    """In the shadow tree of somebody else's component, too."""
    app = application(page=PAGE.replace("<h1>", "<section></section><h1>"))
    garage_page = garage(app)
    page.evaluate(
        "document.querySelector('section').attachShadow({ mode: 'open' })"
        ".append(document.querySelector('smartcar-connect'))"
    )
    connect_as(garage_page.open(), decision="#deny-button")
    garage_page.ended("failed")
    expect(garage_page.button).to_be_focused()
