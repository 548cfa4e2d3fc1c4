"""A platform behind a gateway: prints each request as one line of JSON before it answers.

hypercorn serves it with its defaults, which accept HTTP/2 without TLS (h2c) and WebSockets.
"""

import json


def record(scope, body=b""):
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]]
    entry = {
        "kind": scope["type"],
        "version": scope["http_version"],
        "method": scope.get("method", "GET"),
        "target": scope["raw_path"].decode("latin-1"),
        "headers": headers,
        "body": body.decode("latin-1"),
    }
    print(json.dumps(entry), flush=True)


async def answer(scope, receive, send):
    body, is_complete = b"", False
    while not is_complete:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message.get("body", b"")
        is_complete = not message.get("more_body")
    record(scope, body)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"7")]})
    await send({"type": "http.response.body", "body": b"welcome"})


async def echo(scope, receive, send):
    await receive()
    record(scope)
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message.get("text", "")})


async def platform(scope, receive, send):
    if scope["type"] == "http":
        await answer(scope, receive, send)
    elif scope["type"] == "websocket":
        await echo(scope, receive, send)
