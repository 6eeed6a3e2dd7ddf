"""Hosts: each shows Connect to a person in one environment and brings the response back.

A host translates between its framework and the core or the server side (`smartcar_auth.web`);
it makes no decision about an attempt. Nothing is imported here, so that one framework never pulls
in another.
"""
