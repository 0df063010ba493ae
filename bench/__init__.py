"""The benchmarks behind `make bench`: ratios within one run against one database.

Absolute figures belong to the machine; a ratio of two things measured in turn, on the same servers, holds.
`python -m bench` runs all of them in a few minutes, `python -m bench NAME…` some of them.
"""
