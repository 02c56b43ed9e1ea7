"""The command line, as `python -m ygg`."""

import sys

from ygg.cli import main

if __name__ == "__main__":
    sys.exit(main())
