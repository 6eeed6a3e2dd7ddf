"""What each outcome means to the person who reads it: a heading and a sentence, for every page of ours.

Keys are the codes of errors, the causes of StateMismatch, "granted", and the few ends that are no error. They are
also the vocabulary of `smartcar=` in redirects. Text only: how it looks is a page's business.
"""

WORDS: "dict[str, tuple[str, str]]" = {
    "granted": ("Your car is connected", "You can close this window and go back to the app."),
    "access_denied": ("No access was given", "You chose not to share your car. Nothing was connected."),
    "vehicle_incompatible": (
        "This car can't be connected",
        "The car, or its brand, does not work with this app. Nothing was connected.",
    ),
    "invalid_subscription": (
        "The car's subscription isn't active",
        "Renew the connected services in your car maker's app, then try again.",
    ),
    "no_vehicles": (
        "There is no car in that account",
        "Add your car in your car maker's app, then try again.",
    ),
    "configuration_error": (
        "The app isn't set up correctly",
        "Nothing is wrong with your car. Please tell the people who make this app.",
    ),
    "server_error": ("Something went wrong at Smartcar", "Please try again in a moment."),
    "oem_cancelled_login": (
        "You left your car maker's login",
        "Nothing was connected. You can try again whenever you like.",
    ),
    "user_exited": (
        "You went back to the app",
        "Nothing was connected. You can try again whenever you like.",
    ),
    "unknown_error": ("Your car wasn't connected", "Something unexpected happened. Please try again."),
    "cancelled": (
        "This attempt was cancelled",
        "You cancelled it in the app, so nothing was connected. You can start again there.",
    ),
    "timeout": ("This attempt took too long", "It has expired. Go back to the app and start again."),
    "handler_failed": (
        "Your car was not added",
        "You gave access, but the app could not finish. Please try again, or tell the people who make this app.",
    ),
    "missing": (
        "This answer can't be used",
        "It does not say which attempt it belongs to. Go back to the app and start again.",
    ),
    "altered": (
        "This answer can't be used",
        "It was changed on the way, or belongs to another app. Go back to the app and start again.",
    ),
    "expired": ("This attempt took too long", "It has expired. Go back to the app and start again."),
    "other_browser": (
        "This attempt began somewhere else",
        "It was started in another browser, or this browser no longer knows it because it ended a while ago "
        "or cookies are switched off. Go back to the app and look whether your car is there; if not, start again.",
    ),
    "other_person": (
        "Somebody else is logged in now",
        "This attempt was started by another person, so the car was not connected. "
        "Log in again as the person who started it.",
    ),
    "replayed": (
        "This answer was used before",
        "Each answer counts once. Go back to the app and look whether your car is there; if not, start again.",
    ),
    "unreadable": (
        "This answer can't be read",
        "It arrived damaged or incomplete. Go back to the app and start again.",
    ),
    "returned": (
        "You can close this window",
        "Go back to the app. If your car isn't shown there, please start again.",
    ),
    "unavailable": (
        "We can't finish right now",
        "Your answer is not lost: leave this window open and try again in a moment.",
    ),
    "refused": ("This link can't be used", ""),
    "question": (
        "Connect your car?",
        "A link brought you here from another site. If you want to connect your car to this app, continue.",
    ),
    "configuration": (
        "This app isn't set up yet",
        "Nothing is wrong with your car. The people who make this app find the reason in its log.",
    ),
}
