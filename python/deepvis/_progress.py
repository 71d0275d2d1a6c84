"""The line of progress that ``progress=True`` shows."""

import sys


class Line:
    """One line on standard error, written anew each time; notebooks show it, too."""

    def __init__(self):
        self._is_begun = False

    def __call__(self, place, units, done, steps, objective):
        unit = "" if units == 1 else "unit %d of %d, " % (place + 1, units)
        sys.stderr.write("\r%siteration %d of %d, objective %.6g    " % (unit, done, steps, objective))
        sys.stderr.flush()
        self._is_begun = True

    def close(self):
        if self._is_begun:
            sys.stderr.write("\n")
