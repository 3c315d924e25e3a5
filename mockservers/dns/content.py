"""The zones that a name server has without a word of configuration."""

from collections.abc import Mapping

ZONE: Mapping[str, list[str]] = {
    "example.test.": [
        "300 SOA ns1.example.test. hostmaster.example.test. 2024010101 3600 600 86400 60",
        "300 NS ns1.example.test.",
        "300 MX 10 mail.example.test.",
        '300 TXT "v=spf1 -all" "second string"',
        '300 CAA 0 issue "ca.example.net"',
        "300 HTTPS 1 .",
    ],
    "ns1.example.test.": ["300 A 127.0.0.1"],
    "www.example.test.": ["300 A 192.0.2.1", "300 AAAA 2001:db8::1"],
    "alias.example.test.": ["300 CNAME www.example.test."],
    "dangling.example.test.": ["300 CNAME nowhere.example.test."],
    "loop.example.test.": ["300 CNAME pool.example.test."],
    "pool.example.test.": ["300 CNAME loop.example.test."],
    "mail.example.test.": ["300 A 192.0.2.25"],
    "_sip._tcp.example.test.": ["300 SRV 10 60 5060 www.example.test."],
    "*.wild.example.test.": ['300 TXT "from the wildcard"'],
    "big.example.test.": [f"300 A 198.51.100.{number}" for number in range(60)],
    "2.0.192.in-addr.arpa.": [
        "300 SOA ns1.example.test. hostmaster.example.test. 2024010101 3600 600 86400 60",
        "300 NS ns1.example.test.",
    ],
    "1.2.0.192.in-addr.arpa.": ["300 PTR www.example.test."],
}
