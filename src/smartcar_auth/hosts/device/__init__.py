"""Connect on another device: a link and a QR code here, the owner's phone there, and nothing to come back to.

    handoff = HandOff(smartcar)
    print(handoff.url, handoff.qr_text(), sep="\n")
    response = handoff.wait(Connections("client_...", secret))

For boxes reached over SSH, kiosks, call centres: no browser here, no redirect URI, no port. Connect is asked for no
code, and told a fresh `external_id`; that a connection with this id exists is how one learns of the end.

    handoff.py       one attempt, and the waiter's part in it
    connections.py   a waiter that asks Smartcar's API with the application's own token
    webhook.py       a waiter that is told by Smartcar's webhooks
    qr.py            the code, for terminals and pages
    reading.py       what all of it reads JSON with
"""

from .connections import Connections
from .handoff import HandOff, Waiter
from .webhook import Webhook

__all__ = ["Connections", "HandOff", "Waiter", "Webhook"]
