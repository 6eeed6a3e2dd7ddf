"""A desktop program with a "Connect your car" button, in Tk. The window lives on while its owner is at Connect.

    python examples/desktop_app.py          # Connect is played by the sandbox

For the real thing set SMARTCAR_APPLICATION_ID, SMARTCAR_MODE and SMARTCAR_CONNECT_ORIGIN=https://connect.smartcar.com,
and register http://localhost:8000/callback and http://localhost:8001/callback in the Smartcar dashboard.
"""

import os
import tkinter
from tkinter import ttk

from smartcar_auth import AuthorizationResponse, Cancelled, Smartcar, SmartcarAuthError
from smartcar_auth.hosts.loopback import Attempt, open_browser
from smartcar_auth.words import WORDS

# Without settings of your own: the sandbox below.
os.environ.setdefault("SMARTCAR_APPLICATION_ID", "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07")
os.environ.setdefault("SMARTCAR_CONNECT_ORIGIN", "http://127.0.0.1:8010")

PORTS = [8000, 8001]  # those whose redirect URIs are registered
LOOK_EVERY_MS = 50


class Garage(tkinter.Tk):
    """The window: what is going on, the button, and a way to give up."""

    def __init__(self, smartcar: Smartcar) -> None:
        super().__init__(className="Garage")
        self.smartcar = smartcar
        self.attempt: Attempt | None = None
        self.cars = 0
        self.geometry("480x260")
        self.paint()
        frame = ttk.Frame(self, padding=28)
        frame.pack(fill="both", expand=True)
        self.heading = ttk.Label(frame, style="Heading.TLabel")
        self.heading.pack(anchor="w")
        self.text = ttk.Label(frame, wraplength=420, justify="left")
        self.text.pack(anchor="w", pady=(8, 0))
        self.address = ttk.Entry(frame)  # to be copied where no browser opens
        self.buttons = ttk.Frame(frame)
        self.buttons.pack(side="bottom", fill="x")
        self.button = ttk.Button(
            self.buttons, text="Connect your car", style="Main.TButton", command=self.connect
        )
        self.button.pack(side="left")
        self.cancel_button = ttk.Button(self.buttons, text="Cancel", command=self.cancel)
        self.bind("<Return>", lambda event: self.button.invoke())
        self.bind("<Escape>", lambda event: self.cancel())
        self.protocol("WM_DELETE_WINDOW", self.leave)
        self.say("Garage", "No car is connected yet.")
        self.button.focus_set()

    def paint(self) -> None:
        style = ttk.Style(self)
        style.theme_use("clam")
        style.configure(".", background="white", foreground="#16202c", font="TkDefaultFont")
        style.configure("Heading.TLabel", font=("TkDefaultFont", 17, "bold"))
        style.configure("TButton", padding=(16, 9))
        style.configure("Main.TButton", background="#0b57d0", foreground="white")
        style.map(
            "Main.TButton",
            background=[("disabled", "#5b6b7b"), ("active", "#0842a0")],
            foreground=[("disabled", "white")],
        )

    def say(self, heading: str, text: str) -> None:
        self.title(f"Garage: {heading}")  # read out, and seen in the task bar
        self.heading["text"] = heading
        self.text["text"] = text

    def connect(self) -> None:
        """Opens Connect in the person's browser and returns at once; `look` sees how it goes."""
        if self.attempt is not None:
            return
        try:
            self.attempt = Attempt(self.smartcar, ports=PORTS)
        except SmartcarAuthError as error:  # PortUnavailable, most likely
            self.say("Not now", str(error))
            return
        open_browser(self.attempt.url)
        self.address.delete(0, "end")
        self.address.insert(0, self.attempt.url)
        self.address.pack(fill="x", pady=(12, 0))
        self.cancel_button.pack(side="left", padx=12)
        self.button.state(["disabled"])
        self.look()

    def look(self) -> None:
        """The timer: never waits, so the window never freezes."""
        if self.attempt is None:
            return
        minutes, seconds = divmod(int(self.attempt.remaining_seconds), 60)
        self.say(
            "Waiting for you in the browser",
            f"Allow access to your car there; there are {minutes}:{seconds:02} minutes left. "
            "If no browser opened, open this address in one:",
        )
        try:
            response = self.attempt.poll()
        except Cancelled:
            self.ended("Cancelled", "Nothing was connected.")
        except SmartcarAuthError as error:
            self.ended(*WORDS.get(error.code, WORDS["unknown_error"]))
        else:
            if response is None:
                self.after(LOOK_EVERY_MS, self.look)
            else:
                self.connected(response)

    def connected(self, response: AuthorizationResponse) -> None:
        """Send `response.code` to your server, which has the secret to exchange it; a desktop program has none."""
        self.cars += 1
        self.ended("Connected", f"Cars connected so far: {self.cars}.")

    def ended(self, heading: str, text: str) -> None:
        self.attempt = None
        self.address.pack_forget()
        self.cancel_button.pack_forget()
        self.button.state(["!disabled"])
        self.button.focus_set()
        self.say(heading, text)

    def cancel(self) -> None:
        if self.attempt is not None:
            self.attempt.cancel()

    def leave(self) -> None:
        if self.attempt is not None:
            self.attempt.close()  # the port is free for the next start
        self.destroy()


def main() -> None:
    Garage(Smartcar.from_environment(scope=["read_vehicle_info", "read_odometer"])).mainloop()


if __name__ == "__main__":
    if os.environ["SMARTCAR_CONNECT_ORIGIN"] == "http://127.0.0.1:8010":
        from smartcar_auth.sandbox import Sandbox

        with Sandbox(port=8010):
            main()
    else:
        main()
