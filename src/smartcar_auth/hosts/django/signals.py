"""What happened, for whoever in the project wants to know. The sender is the class `SmartcarConnect`.

A receiver looks on: what it raises is logged and changes nothing. What must not fail belongs in `on_complete`.
"""

from django.dispatch import Signal

# A car was connected, and on_complete has returned: connect, request, response.
smartcar_connected = Signal()

# What on_error is told, whether or not there is one: connect, request, error.
smartcar_failed = Signal()
