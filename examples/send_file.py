"""A file from person to person by a code, as `ygg send` and `ygg receive` do it."""

import asyncio
import tempfile
from pathlib import Path

import ygg
from ygg.apps.code import Code
from ygg.apps.receiving import Offer, receive_by_code
from ygg.apps.sending import send_by_code


async def accept(offer: Offer) -> bool:
    print("offered:", offer.name, offer.size, "bytes")
    return True


async def main(folder: Path) -> None:
    code = Code.generate()                                  # what one person tells the other
    (folder / "incoming").mkdir()
    (folder / "note.txt").write_text("words")
    async with ygg.open_node(code.key, listen=["tls://127.0.0.1:0"]) as sender:
        url = str(sender.core.listeners[0].url)
        async with ygg.open_node(None, peers=[url]) as receiver, asyncio.TaskGroup() as tasks:
            tasks.create_task(send_by_code(sender, code, folder / "note.txt", tell=lambda text: None))
            known = Code.parse(code.text.upper())
            path = await receive_by_code(receiver, known, folder / "incoming", accept, lambda done, size: None)
    print(path.name, path.read_text())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(main(Path(name)))
