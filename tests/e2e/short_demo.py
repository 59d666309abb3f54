"""`folkmoot demo` with another job and other mandates: the same code, sooner at its end.

Usage: short_demo.py JOB_FILE EXAMPLE_FOLDER demo OPTIONS...
"""

import sys
from pathlib import Path

import folkmoot.demo.founding
import folkmoot.demo.run
from folkmoot.cli import main

if __name__ == "__main__":
    folkmoot.demo.run.JOB = Path(sys.argv[1])
    folkmoot.demo.founding.EXAMPLE = Path(sys.argv[2])
    sys.argv[1:] = sys.argv[3:]
    main()
