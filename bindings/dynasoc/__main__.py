"""`python -m dynasoc ...` is `dynasoc ...`."""

import sys

from .commands import main

if __name__ == "__main__":
    sys.exit(main())
