"""NiceGUI without pages: it runs this script again for each visitor. python nicegui_script.py PORT"""

import sys

from nicegui import ui

from smartcar_auth.hosts.nicegui import SmartcarButton, SmartcarConnect

SmartcarConnect()
button = SmartcarButton(make="TESLA")
result = ui.label("nothing yet").props("id=result")
button.on_connected(lambda response: result.set_text(f"granted {response.code}"))

ui.run(host="localhost", port=int(sys.argv[1]), show=False, reload=False)
