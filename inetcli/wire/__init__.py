"""Bytes to values and back, shared by several protocols. Pure: no sockets, no clock."""
