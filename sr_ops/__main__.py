"""``python -m sr_ops``: the command line."""

import sys

from sr_ops.cli import main

sys.exit(main())
