"""FTP: curl, lftp and wget against our server, and what curl sees of its faults."""

import os
from pathlib import Path

import pytest
from support.foreign import run

from mockservers import FtpServer

DATA = os.urandom(1_500_000)


@pytest.mark.parametrize("tls", [None, "explicit"])
def test_curl_gets_what_our_server_has(tls: str | None, tmp_path: Path) -> None:
    with FtpServer({"a.bin": DATA}, tls=tls) as mock:
        trust = ["--ssl-reqd", "--cacert", str(mock.ca_file)] if tls else []
        done = run("curl", "-sS", *trust, f"ftp://127.0.0.1:{mock.port}/a.bin")
        assert (done.code, done.stdout) == (0, DATA), done.err
        assert run("curl", "-sS", *trust, f"ftp://127.0.0.1:{mock.port}/nope").code == 78
        upload = run("curl", "-sS", *trust, "-T", "-", f"ftp://127.0.0.1:{mock.port}/incoming/up", stdin=b"uploaded")
        assert upload.code == 0, upload.err
        assert mock.files["/incoming/up"] == b"uploaded"
        assert b"a.bin" in run("curl", "-sS", *trust, f"ftp://127.0.0.1:{mock.port}/").stdout


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("RETR:fin@100", 18),
        ("RETR:reply(550 no)", 78),
        ("PASS:reply(530 no)", 67),
        ("connect:refuse", 7),
    ],
)
def test_what_curl_sees_of_our_faults(fault: str, code: int) -> None:
    with FtpServer({"a.bin": DATA}, faults=[fault]) as mock:
        assert run("curl", "-sS", f"ftp://127.0.0.1:{mock.port}/a.bin").code == code


def test_wget_and_lftp_get_what_our_server_has(tmp_path: Path) -> None:
    with FtpServer({"pub/a.bin": DATA}) as mock:
        done = run("wget", "-q", "-O", "-", f"ftp://127.0.0.1:{mock.port}/pub/a.bin")
        assert (done.code, done.stdout) == (0, DATA)
        script = f"set net:max-retries 1; open ftp://127.0.0.1:{mock.port}; get pub/a.bin -o {tmp_path}/b.bin"
        done = run("lftp", "-c", script)
        assert done.code == 0, done.err
        assert (tmp_path / "b.bin").read_bytes() == DATA
    with FtpServer({"pub/a.bin": DATA}, tls="explicit", require_tls=True, require_reuse=True) as mock:
        secure = f"set ssl:ca-file {mock.ca_file}; set ftp:ssl-force true; set ftp:ssl-allow-anonymous true; "
        script = f"{secure}set net:max-retries 1; open ftp://localhost:{mock.port}; get pub/a.bin -o {tmp_path}/c.bin"
        done = run("lftp", "-c", script)
        assert done.code == 0, done.err
        assert (tmp_path / "c.bin").read_bytes() == DATA
