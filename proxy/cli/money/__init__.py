"""What requests cost, for people.

cost      the command
drawn     sums and budgets, drawn
"""
