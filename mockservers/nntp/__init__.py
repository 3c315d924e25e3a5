"""NNTP: a news server for readers (RFC 3977, RFC 4642, RFC 4643, RFC 8054)."""
