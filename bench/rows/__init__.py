"""
One row of the comparison a module: TITLE, and measure(kind, settings) which returns {metric: [values]}. A value is a
number or a word; every metric's unit is in its name.
"""
