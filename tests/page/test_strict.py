"""A page with the strictest policy under which Python runs at all."""

import pytest

from page.lab import GRANTED

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("python", ["micropython", "pyodide"])
def test_strict_policy_is_enough(open_lab, python):
    """No inline script or style, no eval, no Trusted Types policy, nothing from elsewhere."""
    lab = open_lab(f"strict/{python}")
    lab.smartcar()
    lab.window.run(
        "void addEventListener('securitypolicyviolation', (event) => console.log(event.violatedDirective))"
    )
    lab.run("smartcar.add_click_handler(selector='.connect', state='mine')")
    lab.grant(lab.opened("#in-form"))
    assert lab.told() == [{**GRANTED, "state": "mine"}]
    lab.reset()
    assert lab.noise == []
