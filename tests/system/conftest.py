"""A lab for each test; when one fails, its report shows what every daemon said."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lab import sanitized  # noqa: E402
from lab.stories import lab_fixture, pytest_runtest_makereport  # noqa: E402, F401

# Stories about a build with sanitizers, which the other one is not.
collect_ignore = [] if sanitized() else ["test_sanitizer.py"]
