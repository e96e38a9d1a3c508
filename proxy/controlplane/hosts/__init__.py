"""The hosts that share a store: who they are, and how what one publishes gets in force on all.

company     the hosts as they last told of themselves, and how far a version came
following   what is done all the time: listen, catch up, tell of this host
"""
