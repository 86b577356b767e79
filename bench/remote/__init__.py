"""Servers elsewhere: addresses that may be used, and a bounded, paced connection to them."""
