"""streamlit-oauth, as its README shows it. Python has the code when the exchange begins; that isn't measured."""

import os

from httpx_oauth.oauth2 import OAuth2
from known import known
from streamlit_oauth import OAuth2Component


class Client(OAuth2):
    async def get_access_token(self, *args, **options):
        known()
        return {"access_token": "a-token", "token_type": "Bearer"}


provider = os.environ["SMARTCAR_CONNECT_ORIGIN"]
client = Client("an-application", "a-secret", f"{provider}/oauth/authorize", f"{provider}/oauth/token")
page = os.environ["ORIGIN"] + "/component/streamlit_oauth.authorize_button/index.html"
OAuth2Component(client=client).authorize_button("Connect your car", page, "read_odometer", key="car")
