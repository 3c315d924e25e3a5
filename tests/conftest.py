"""The tests leave nothing behind: their temporary folders are in one of the checkout, which goes when they are done."""

import shutil
import signal
import tempfile

import pytest

pytest.register_assert_rewrite("support")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    # Behind `nohup` or `&` these signals are ignored, and children would inherit that. They do not inherit a handler.
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    if config.option.basetemp is None:  # the workers of a parallel run are given theirs
        config.option.basetemp = tempfile.mkdtemp(prefix=".pytest-", dir=config.rootpath)
        config.add_cleanup(lambda: shutil.rmtree(config.option.basetemp, ignore_errors=True))
