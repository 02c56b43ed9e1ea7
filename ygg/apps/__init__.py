"""Small programs for people: a file sent and received, and a chat, over the overlay.

They are examples of the public API as much as programs: each takes a node that `ygg.open_node` has opened, or a
connection of it, and calls back for what a person decides or sees. `ygg send`, `ygg receive` and `ygg chat` are their
command lines. What the other side says is checked by `names` and `messages`; nothing of the library uses them.
"""
