refusal: type[Exception]
"""What is raised by an object that belongs to the parent process."""

def current() -> int:
    """Return the number of this process: how many forks it is away from the one that loaded the engine."""

def check(made: int) -> None:
    """Raise `refusal` unless `made` is the number of this process."""

def register(descriptor: int) -> None:
    """Have this descriptor cut off in children."""

def unregister(descriptor: int) -> None:
    """Forget a descriptor, before it is closed."""

def registered() -> set[int]:
    """Return the descriptors that are registered now."""

def cut(descriptors: list[int]) -> None:
    """Have these numbers stand for a socket whose other end is closed."""
