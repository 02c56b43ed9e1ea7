"""The part of a Matrix homeserver that a client needs to log in, send a message and see it come back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from ygg.integrations.aiohttp import OverlaySite
from ygg.vtun import VTun


@contextlib.asynccontextmanager
async def homeserver(vtun: VTun, port: int) -> AsyncIterator[None]:
    """Serve on a port of `vtun`: what is sent to any room is in the next sync, which waits for it."""
    events: list[dict[str, object]] = []
    arrived = asyncio.Event()

    async def login(request: web.Request) -> web.Response:
        return web.json_response({"user_id": "@one:example", "device_id": "D", "access_token": "token"})

    async def send(request: web.Request) -> web.Response:
        event = {"type": request.match_info["kind"], "content": await request.json(), "sender": "@one:example",
                 "event_id": f"$event{len(events)}", "origin_server_ts": 0}
        events.append(event)
        arrived.set()
        return web.json_response({"event_id": event["event_id"]})

    async def sync(request: web.Request) -> web.Response:
        await asyncio.wait_for(arrived.wait(), int(request.query.get("timeout", 0)) / 1000)
        timeline = {"events": events, "limited": False, "prev_batch": "0"}
        room = {"timeline": timeline, "state": {"events": []}, "ephemeral": {"events": []},
                "account_data": {"events": []}, "unread_notifications": {}, "summary": {}}
        rooms = {"join": {"!room:example": room}, "invite": {}, "leave": {}}
        return web.json_response({"next_batch": "1", "rooms": rooms,
                                  "device_lists": {}, "device_one_time_keys_count": {}, "to_device": {"events": []},
                                  "presence": {"events": []}, "account_data": {"events": []}})

    app = web.Application()
    for version in ("r0", "v3"):
        base = f"/_matrix/client/{version}"
        app.add_routes([
            web.post(f"{base}/login", login),
            web.put(f"{base}/rooms/{{room}}/send/{{kind}}/{{id}}", send),
            web.get(f"{base}/sync", sync),
        ])
    runner = web.AppRunner(app)
    await runner.setup()
    await OverlaySite(runner, vtun, port=port).start()
    try:
        yield
    finally:
        await runner.cleanup()
