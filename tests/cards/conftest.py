"""Stories about network cards: two virtual machines for each, joined by a switch in this process."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
