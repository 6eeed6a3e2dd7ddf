"""Connecting a car from a terminal: the commands `login` and `url`.

    settings.py   what options, environment and configuration file say together
    waiting.py    the roads: a browser of this machine or elsewhere, another device
    result.py     what is printed, for people and for programs
    commands.py   the two commands themselves

The address, the spinner and every remark go to standard error; standard output holds the result and nothing else.
"""
