"""Slow wires between hosts on one machine, and what passes over them: ygg, the kernel's TCP, the packaged daemon."""
