"""Two buttons of the person whom st.login logged in, one of them in a fragment."""

import streamlit as st

from smartcar_auth import AuthorizationResponse
from smartcar_auth.hosts.streamlit import Result, smartcar_connect


def in_words(result: Result | None) -> str:
    if isinstance(result, AuthorizationResponse):
        return f"granted {result.subject} {(result.app_state or {}).get('bay')}"
    return "nothing yet" if result is None else f"failed {result.code} {getattr(result, 'cause', '')}".strip()


def ended(result: Result, bay: str) -> None:
    st.session_state.setdefault("log", []).append(f"{bay}: {in_words(result)}")


st.session_state.runs = st.session_state.get("runs", 0) + 1
st.html(f"<p id='runs'>{st.session_state.runs}</p>")
st.html(f"<p id='person'>{st.user.get('sub')}</p>")

if not st.toggle("Hide the first bay"):
    first = smartcar_connect(
        "First car",
        key="first",
        make="TESLA",
        state={"bay": 1},
        force_prompt=True,
        on_complete=ended,
        args=["first"],
    )
    st.html(f"<p id='first'>{in_words(first)}</p>")


@st.fragment
def second_bay() -> None:
    second = smartcar_connect("Second car", key="second", on_complete=ended, kwargs={"bay": "second"})
    st.html(f"<p id='second'>{in_words(second)}</p>")


second_bay()
st.button("Run again")
if st.button("Forget"):
    del st.session_state["first"]
    st.rerun()
st.html(f"<p id='log'>{'; '.join(st.session_state.get('log', []))}</p>")
