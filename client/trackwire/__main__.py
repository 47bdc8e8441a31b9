"""`python -m trackwire`: the command line, where no script `trackwire` is on the path."""

import sys

from trackwire.cli import main

if __name__ == "__main__":
    sys.exit(main())
