"""NNTP: Usenet articles (RFC 3977, RFC 4642, RFC 4643, RFC 5536)."""
