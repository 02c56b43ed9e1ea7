"""`ygg show`: what a configuration's identity comes to."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ygg.cli.common import add_config, load

if TYPE_CHECKING:
    from ygg.cli.common import Subcommands
    from ygg.cli.parser import Parser

WHAT = ("address", "subnet", "key")
"""What can be shown of a configuration."""


def add(commands: Subcommands) -> Parser:
    """Add the command; return its parser."""
    text = "Print the address, the subnet and the public key of a configuration, or one of them alone."
    parser = commands.add_parser("show", help="print a configuration's address", description=text)
    parser.add_argument("what", nargs="?", choices=WHAT, help="print this alone, without its name")
    add_config(parser)
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print it."""
    from ygg.identity.address import address_of, subnet_of

    key = load(arguments.config).private_key.public_key
    found = {"address": str(address_of(key)), "subnet": str(subnet_of(key)), "key": key.hex()}
    if arguments.what:
        print(found[arguments.what])
    else:
        for name, value in found.items():
            print(f"{name + ':':<8} {value}")
    return 0
