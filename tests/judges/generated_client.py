"""Calls every endpoint with the client that openapi-generator made."""

import os

import openapi_client
from openapi_client.api import keys_api, server_api

url, key = os.environ["JUDGED_URL"], os.environ["JUDGED_KEY"]
name, credential = os.environ["JUDGED_GATEWAY"], os.environ["JUDGED_CREDENTIAL"]


def client(**credentials):
    return openapi_client.ApiClient(openapi_client.Configuration(host=url, **credentials))


def status_of(call, *arguments, **fields):
    try:
        return call(*arguments, **fields).status_code
    except openapi_client.ApiException as error:
        return error.status


holder = keys_api.KeysApi(client(access_token=key))
who = holder.whoami()
assert who.service_account.name == "Judged Service" and who.expires_at is None, who
stranger = keys_api.KeysApi(client(access_token="unknown"))
assert status_of(stranger.whoami_with_http_info) == 401

# The generated client has TRACE, but its HTTP library cannot send it.
for method in ["get", "put", "post", "delete", "options", "head", "patch"]:
    call = f"forward_auth_{method}_with_http_info"
    answer = getattr(holder, call)()
    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert headers["x-keydesk-key-id"] == who.key_id, (method, headers)
    assert status_of(getattr(stranger, call)) == 401, method

for credentials in [{"access_token": credential}, {"username": name, "password": credential}]:
    gateway = keys_api.KeysApi(client(**credentials))
    active = gateway.introspect(token=key).actual_instance
    assert isinstance(active, openapi_client.ActiveToken) and active.key_id == who.key_id, active
    inactive = gateway.introspect(token="unknown").actual_instance
    assert isinstance(inactive, openapi_client.InactiveToken) and inactive.active is False, inactive
open_keys = keys_api.KeysApi(client())
by_form = open_keys.introspect(token=key, client_id=name, client_secret=credential)
assert by_form.actual_instance.active is True, by_form
assert status_of(open_keys.introspect_with_http_info, token=key) == 401

monitor = server_api.ServerApi(client())
assert monitor.alive().status == "alive" and monitor.ready().status == "ready"
assert "keydesk_verifications_total" in monitor.metrics()

assert status_of(open_keys.revoke_with_http_info, token="unknown") == 200
