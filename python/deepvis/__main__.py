"""The ``deepvis`` command."""

import os
import signal
import sys


def main():
    """Runs the command line and ends the process with its exit code."""
    from ._deepvis import _command

    # The command listens to signals by itself.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    code = _command(["deepvis", *sys.argv[1:]])
    sys.stdout.flush()
    # Not through the interpreter's own end, which would wait for threads that compute.
    os._exit(code)


if __name__ == "__main__":
    main()
