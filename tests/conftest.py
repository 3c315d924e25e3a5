"""The tests leave nothing behind: their temporary folders are in one of the checkout, which goes when they are done."""

import shutil
import signal
import tempfile

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("support")

# The same examples in each run, and none fails because the machine is busy.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.load_profile("suite")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    # Behind `nohup` or `&` these signals are ignored, and children would inherit that. They do not inherit a handler.
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    if config.option.basetemp is None:  # the workers of a parallel run are given theirs
        config.option.basetemp = tempfile.mkdtemp(prefix=".pytest-", dir=config.rootpath)
        config.add_cleanup(lambda: shutil.rmtree(config.option.basetemp, ignore_errors=True))
