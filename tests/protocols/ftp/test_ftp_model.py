"""The words of FTP: what FEAT told."""

import pytest

from inetcli.protocols.ftp.model import HASHES, Features


@pytest.mark.parametrize(
    ("told", "hashes"),
    [
        ({}, []),
        ({"HASH": ""}, []),
        ({"HASH": "SHA-1;SHA-256*;MD5"}, ["SHA-256", "SHA-1", "MD5"]),
        ({"HASH": " sha-512 ; md5* ;"}, ["MD5", "SHA-512"]),
        ({"HASH": "CRC32"}, ["CRC32"]),
    ],
)
def test_the_hash_that_is_set_comes_first(told: dict[str, str], hashes: list[str]) -> None:
    assert Features(told).hashes == hashes


def test_names_are_utf_8_where_feat_says_so() -> None:
    assert Features({"UTF8": ""}).utf8
    assert not Features({"MLST": "UTF8"}).utf8


def test_the_strongest_hash_is_first() -> None:
    assert list(HASHES) == ["SHA-512", "SHA-256", "SHA-1", "MD5"]
