"""Authlib introspects keys as an OAuth 2.0 client."""

import os

from authlib.integrations.requests_client import OAuth2Session

url, key = os.environ["JUDGED_URL"], os.environ["JUDGED_KEY"]
name, credential = os.environ["JUDGED_GATEWAY"], os.environ["JUDGED_CREDENTIAL"]

for method in ["client_secret_basic", "client_secret_post"]:
    for secret, expected in [(credential, 200), (credential[:-1], 401)]:
        session = OAuth2Session(name, secret, token_endpoint_auth_method=method)
        answer = session.introspect_token(f"{url}/v1/introspect", token=key)
        assert answer.status_code == expected, (method, answer.status_code, answer.text)
        if expected == 200:
            assert answer.json()["active"] is True and answer.json()["service_account"] == "Judged Service", answer.text
            other = session.introspect_token(f"{url}/v1/introspect", token="unknown")
            assert other.json() == {"active": False}, other.text
        else:
            assert answer.json()["error"] == "invalid_client", answer.text
