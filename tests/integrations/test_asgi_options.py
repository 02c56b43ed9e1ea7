"""ygg.integrations.asgi_options: which options of uvicorn mean something on an overlay address."""

import inspect

import pytest
import uvicorn

from tests.integrations.test_asgi import app
from ygg.errors import YggError
from ygg.integrations.asgi import ServeOptionError, serve
from ygg.integrations.asgi_options import OURS, REFUSED, WORKING


def test_every_option_of_the_installed_uvicorn_is_known():
    installed = set(inspect.signature(uvicorn.Config).parameters)
    assert installed <= OURS | WORKING | REFUSED.keys()
    assert not OURS & (WORKING | REFUSED.keys())
    assert not WORKING & REFUSED.keys()


REFUSALS = {
    "uds": "/tmp/x",
    "fd": 3,
    "loop": "asyncio",
    "http2": True,
    "reload": True,
    "reload_dirs": ["."],
    "reload_delay": 1.0,
    "reload_includes": ["*"],
    "reload_excludes": ["*"],
    "workers": 2,
    "timeout_worker_healthcheck": 1,
}


def test_each_refused_option_has_its_case():
    assert REFUSALS.keys() == REFUSED.keys()


@pytest.mark.parametrize("name", REFUSALS)
def test_options_without_meaning_are_refused(with_pair, name):
    async def main(pair):
        with pytest.raises(ServeOptionError, match=f"^{name}: ") as caught:
            async with serve(app, pair.b, **{name: REFUSALS[name]}):  # type: ignore[arg-type]
                pass
        assert isinstance(caught.value, YggError)
        assert isinstance(caught.value, ValueError)
        default = inspect.signature(uvicorn.Config).parameters[name].default
        async with serve(app, pair.b, lifespan="off", **{name: default}):
            pass

    if name not in inspect.signature(uvicorn.Config).parameters:
        pytest.skip("not in this uvicorn")
    with_pair(main)


def test_options_of_a_later_uvicorn_and_misspelt_ones_are_refused(with_pair, monkeypatch):
    class Later(uvicorn.Config):
        def __init__(self, app, **options):
            super().__init__(app)

        __signature__ = inspect.signature(uvicorn.Config).replace(
            parameters=[
                *inspect.signature(uvicorn.Config).parameters.values(),
                inspect.Parameter("teleport", inspect.Parameter.KEYWORD_ONLY, default=False),
            ]
        )

    async def main(pair):
        for options in ({"teleport": True}, {"root_pth": "/x"}, {"app": app}):
            with pytest.raises((ServeOptionError, TypeError), match=next(iter(options))):
                async with serve(app, pair.b, **options):
                    pass

    monkeypatch.setattr(uvicorn, "Config", Later)
    with_pair(main)
