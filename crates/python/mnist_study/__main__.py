"""The `mnist-study` command."""

import sys

from . import _native


def main() -> int:
    """Carries out the command line, and returns what the process is to end with."""
    return _native.main(["mnist-study", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
