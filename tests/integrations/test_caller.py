"""ygg.integrations.caller: whose a request is, in the scope of an ASGI application."""

import gc
import weakref

from tests.aio import run
from ygg.integrations.caller import WithKeys
from ygg.vtun import VTun

KEY = bytes(range(32))
ADDRESS = "200::1"


def scope_of(wrapped, **more):
    async def main():
        scope = {"type": "http", **more}
        await wrapped(scope, None, None)
        return scope

    return run(main())


async def app(scope, receive, send):
    """Do nothing."""


class Known(VTun):
    """One that knows the key of one address."""

    def key_of(self, host):
        return KEY if host == ADDRESS else None


def test_the_scope_has_the_key_beside_other_extensions():
    vtun = Known([ADDRESS])
    scope = scope_of(WithKeys(app, vtun), client=(ADDRESS, 5), extensions={"other": {}})
    assert scope["extensions"] == {"other": {}, "ygg": {"public_key": KEY}}
    assert scope_of(WithKeys(app, vtun), client=("200::2", 5))["extensions"] == {"ygg": {"public_key": None}}


def test_what_has_no_caller_has_no_key():
    assert "extensions" not in scope_of(WithKeys(app, Known([ADDRESS])))


def test_it_keeps_no_vtun():
    vtun = Known([ADDRESS])
    wrapped, gone = WithKeys(app, vtun), weakref.ref(vtun)
    del vtun
    gc.collect()
    assert gone() is None
    assert scope_of(wrapped, client=(ADDRESS, 5))["extensions"] == {"ygg": {"public_key": None}}
