"""An application as many are written, with the mistakes that many make; kept broken on purpose.

One state for everybody, which nobody compares; the code in an inline script, posted to whatever page opened the
pop-up; `next` followed wherever it leads; Connect's words put into the page as they came; no header fields.
"""

import json
import os
from urllib.parse import urlencode

from flask import Flask, Response, redirect, request, session
from werkzeug.wrappers import Response as AnyResponse

PAGE = """<!doctype html><title>My cars</title><h1>My cars</h1>
<button id="connect" onclick="window.open('/connect/smartcar', 'connect', 'width=500,height=700')">Connect</button>
<a href="/connect/smartcar">Without a pop-up</a>
<p id="said"></p>
<script>
window.addEventListener("message", (event) => {
  if (!event.data.code) return;  // what an error would be told by is forgotten
  document.getElementById("said").textContent = "Your car is connected";
  localStorage.setItem("smartcar", event.data.code);
});
</script>"""


def create_app(connect_origin: str) -> Flask:
    app = Flask(__name__)
    app.secret_key = "not-so-secret"

    @app.get("/")
    def cars() -> str:
        return PAGE

    @app.get("/connect/smartcar")
    def connect() -> AnyResponse:
        session["next"] = request.args.get("next")
        query = {
            "response_type": "code",
            "application_id": os.environ.get("SMARTCAR_APPLICATION_ID", "an-application"),
            "redirect_uri": request.args.get("redirect_uri") or f"{request.host_url}callback",
            "scope": "read_odometer",
            "state": request.args.get("state", "smartcar"),
        }
        return redirect(f"{connect_origin}/oauth/authorize?{urlencode(query)}")

    @app.get("/callback")
    def callback() -> AnyResponse:
        if "error" in request.args:
            return Response(f"<h1>Error</h1><p>{request.args['error_description']}</p>", mimetype="text/html")
        code = request.args["code"]
        if session.get("next"):
            return redirect(session["next"])
        message = json.dumps({"code": code})
        return Response(
            f"<!doctype html><title>Connected</title><p>You may close this window.</p>"
            f"<script>if (window.opener) {{ window.opener.postMessage({message}, '*'); window.close(); }}</script>",
            mimetype="text/html",
        )

    return app
