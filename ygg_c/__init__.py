"""The compiled engine of ygg: sans-IO, given bytes and a time, yielding bytes, packets, events and a deadline."""

import sys as _sys
from importlib.util import find_spec as _find_spec

if _find_spec("ygg_c.base.live") is None:
    raise ImportError(
        f"ygg's engine is not compiled here, for Python {_sys.version.split()[0]} on {_sys.platform}. This is its "
        "source folder, or ygg was built for another system or Python; `pip install` of the sources builds it if it can"
    )
