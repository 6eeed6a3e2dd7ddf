"""Two buttons, each in its iframe."""

import streamlit as st

from smartcar_auth.hosts.streamlit import Result, smartcar_connect


def in_words(result: Result | None) -> str:
    return "nothing yet" if result is None else f"{type(result).__name__} {getattr(result, 'subject', '')}"


def ended(result: Result) -> None:
    st.session_state.setdefault("log", []).append(in_words(result))


for key in ("first", "second"):
    result = smartcar_connect(f"The {key} car", key=key, external_id="an-order", on_complete=ended)
    st.html(f"<p id='{key}'>{in_words(result)}</p>")
st.html(f"<p id='log'>{'; '.join(st.session_state.get('log', []))}</p>")
