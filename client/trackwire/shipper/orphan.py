"""`python orphan.py PROGRAM ARGUMENT…`: starts a program as nobody's child, and ends.

Whoever waits for all of its children must not wait for a shipper. Run as a file, without the rest of the package:
whoever has started it waits for its end.
"""

import os
import sys


def main(command: list[str]) -> None:
    """In a session of its own, as the one of the process that ends here can't be led any more."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
