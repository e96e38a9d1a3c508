"""What turns a commit into a release: packages, their bill of materials, proof that they work.

It knows the repository and the tools that build and check packages, and nothing of how turnout
works.
"""
