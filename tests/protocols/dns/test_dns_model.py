"""The words of DNS: types, rcodes, flags."""

import pytest

from inetcli.protocols.dns.model import RCODES, TYPES, Message, rcode_name, type_name, type_number


@pytest.mark.parametrize(("name", "number"), [("a", 1), ("MX", 15), ("TYPE65534", 65534), ("type1", 1)])
def test_types_have_names_and_numbers(name: str, number: int) -> None:
    assert type_number(name) == number
    assert type_number(type_name(number)) == number


@pytest.mark.parametrize("name", ["TYPE65536", "TYPE", "TYPE²", "TYPE-1", "bogus", ""])
def test_type_number_of_an_unknown_type(name: str) -> None:
    assert type_number(name) is None


def test_every_mnemonic_goes_there_and_back() -> None:
    assert {type_number(name.lower()): type_name(number) for name, number in TYPES.items()} == {
        number: name for name, number in TYPES.items()
    }


@pytest.mark.parametrize(("number", "name"), [(0, "NOERROR"), (3, "NXDOMAIN"), (23, "BADCOOKIE"), (4095, "RCODE4095")])
def test_rcode_name(number: int, name: str) -> None:
    assert rcode_name(number) == name
    assert (number in RCODES) == (not name.startswith("RCODE"))


def test_truncated_is_the_flag_tc() -> None:
    assert Message(1, ("qr", "tc"), 0, None).truncated
    assert not Message(1, ("qr", "aa"), 0, None).truncated
