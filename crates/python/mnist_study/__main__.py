"""The `mnist-study` command."""

import signal
import sys

from . import _native


def main() -> int:
    """Carries out the command line, and returns what the process is to end with."""
    # The command hears Ctrl-C itself, and says what is kept.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _native.main(["mnist-study", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
