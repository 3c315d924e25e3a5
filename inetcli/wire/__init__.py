"""Parsers and encoders that several protocols share. Pure: no sockets, no clock."""
