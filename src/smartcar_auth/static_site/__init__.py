"""Front-end mode without a Python server: the redirect page and what pages load, as files to put behind any address.

Nothing is imported here: the command line is quick, and says in words what is missing.
"""
