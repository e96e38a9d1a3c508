"""The benchmark: what turnout costs beside nginx, a textbook proxy and no proxy at all.

`python -m bench --help` says how to run it; docs/performance.md says what it measures and how.

machine   cores, CPU time, memory and facts, read from /proc
programs  the C programs: built, run, and the requests that they send
targets   what is measured: direct, nginx, turnout, the textbook proxies
cells     what is measured of each, and with which load
run       interleaved rounds of cells over targets, and their medians
bars      what turnout must reach
report    tables for a terminal and for docs/performance.md
profile   where a worker's CPU time goes (`python -m bench.profile`)
"""
