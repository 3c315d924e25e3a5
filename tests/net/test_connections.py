"""Connections that several threads share: never more than there are places, and fewer when the peer wants fewer."""

import os
import threading
from dataclasses import dataclass, field

import pytest

from inetcli.errors import Refused, TimedOut
from inetcli.net.connections import ConnectionPool, KeyedCache
from inetcli.net.deadline import Deadline
from inetcli.net.wait import Cancel, Cancelled

NO_LIMIT = Deadline()


@dataclass
class Connection:
    usable: bool = True
    rejected: bool = False
    left: bool = False

    def quit(self) -> None:
        self.left = True


@dataclass
class Peer:
    """Makes connections; above `most` it says that it is full."""

    most: int = 100
    made: list[Connection] = field(default_factory=list)

    def make(self) -> Connection:
        if sum(not connection.left for connection in self.made) >= self.most:
            raise Refused("full", reply_code=421)
        self.made.append(Connection())
        return self.made[-1]


@pytest.fixture
def share():
    shares: list[ConnectionPool] = []

    def make(max_size: int) -> ConnectionPool[Connection]:
        shares.append(ConnectionPool(max_size, lambda error: error.reply_code == 421))
        return shares[-1]

    yield make
    for made in shares:
        made.close()


def test_one_after_the_other_is_the_same(share, cancel: Cancel) -> None:
    peer, shared = Peer(), share(3)
    for _ in range(5):
        with shared.acquire(NO_LIMIT, cancel, peer.make):
            pass
    assert len(peer.made) == 1
    assert not peer.made[0].left


def test_as_many_at_a_time_as_there_are_places(share, cancel: Cancel, background) -> None:
    peer, shared = Peer(), share(2)
    inside, most = threading.Semaphore(2), threading.Barrier(2, timeout=20)

    def work() -> None:
        with shared.acquire(NO_LIMIT, cancel, peer.make):
            assert inside.acquire(blocking=False)
            most.wait()
            inside.release()
            most.wait()

    threads = [background(work) for _ in range(6)]
    for thread in threads:
        thread.join()
    assert len(peer.made) == 2


def test_waiting_for_a_place_has_a_limit_and_can_be_stopped(share, cancel: Cancel) -> None:
    peer, shared = Peer(), share(1)
    with shared.acquire(NO_LIMIT, cancel, peer.make):
        with (
            pytest.raises(TimedOut, match="over"),
            shared.acquire(NO_LIMIT.within(0.01, "over"), cancel, peer.make),
        ):
            pass
        cancel.set()
        with pytest.raises(Cancelled), shared.acquire(NO_LIMIT, cancel, peer.make):
            pass


@pytest.mark.parametrize("error", [None, Refused("no"), KeyboardInterrupt()])
def test_what_is_of_no_use_is_left_and_its_place_given_back(share, cancel: Cancel, error) -> None:
    peer, shared = Peer(), share(1)

    def spoil() -> None:
        with shared.acquire(NO_LIMIT, cancel, peer.make) as connection:
            connection.usable = False
            if error:
                raise error

    if error:
        with pytest.raises(type(error)):
            spoil()
    else:
        spoil()
    with shared.acquire(NO_LIMIT, cancel, peer.make):
        pass
    assert [connection.left for connection in peer.made] == [True, False]


def test_one_too_many_lowers_their_number_and_waits_for_another(share, cancel: Cancel, background) -> None:
    peer, shared = Peer(most=1), share(3)
    started, go_on = threading.Event(), threading.Event()

    def first() -> None:
        with shared.acquire(NO_LIMIT, cancel, peer.make):
            started.set()
            assert go_on.wait(20)

    background(first)
    assert started.wait(20)

    def second() -> None:
        with shared.acquire(NO_LIMIT, cancel, peer.make) as connection:
            assert connection is peer.made[0]

    others = [background(second) for _ in range(2)]
    go_on.set()
    for other in others:
        other.join()
    assert len(peer.made) == 1


@pytest.mark.parametrize("error", [Refused("full", reply_code=421), Refused("no", reply_code=530), OSError()])
def test_the_only_one_that_does_not_come_about_is_an_error_and_leaves_its_place(share, cancel: Cancel, error) -> None:
    shared = share(1)

    def refuse() -> Connection:
        raise error

    for _ in range(3):
        with pytest.raises(type(error)), shared.acquire(NO_LIMIT, cancel, refuse):
            pass


def test_one_that_was_turned_away_takes_its_place_with_it_if_there_are_others(share, cancel: Cancel) -> None:
    peer, shared = Peer(), share(2)
    with shared.acquire(NO_LIMIT, cancel, peer.make):
        assert not shared.has_several
        with shared.acquire(NO_LIMIT, cancel, peer.make) as extra:
            assert shared.has_several
            extra.usable, extra.rejected = False, True
        over = NO_LIMIT.within(0.01, "over")
        with pytest.raises(TimedOut), shared.acquire(over, cancel, peer.make):
            pass
    with shared.acquire(NO_LIMIT, cancel, peer.make) as last:
        last.usable, last.rejected = False, True
    with shared.acquire(NO_LIMIT, cancel, peer.make):
        pass  # the last place stays, whatever happened to its connection


def test_widen_is_for_once(share, cancel: Cancel) -> None:
    peer, shared = Peer(), share(1)
    shared.grow(2)
    shared.grow(2)
    over = NO_LIMIT.within(0.01, "over")
    with (
        shared.acquire(NO_LIMIT, cancel, peer.make),
        shared.acquire(NO_LIMIT, cancel, peer.make),
        pytest.raises(TimedOut),
        shared.acquire(over, cancel, peer.make),
    ):
        pass


def test_close_leaves_those_that_are_idle(cancel: Cancel) -> None:
    peer, shared = Peer(), ConnectionPool[Connection](2, lambda _: False)
    with shared.acquire(NO_LIMIT, cancel, peer.make), shared.acquire(NO_LIMIT, cancel, peer.make):
        pass
    shared.close()
    assert [connection.left for connection in peer.made] == [True, True]


def test_once_makes_each_value_once_whoever_comes_first(background) -> None:
    made: list[int] = []
    together = threading.Barrier(4, timeout=20)
    values: KeyedCache[int, object] = KeyedCache(lambda key: made.append(key) or object())
    got: list[object] = []

    def look() -> None:
        together.wait()
        got.append(values[1])

    for thread in [background(look) for _ in range(4)]:
        thread.join()
    assert made == [1]
    assert len(set(map(id, got))) == 1
    assert values.values() == got[:1]


def test_a_share_at_rest_holds_nothing_and_begins_anew(share, cancel: Cancel) -> None:
    peer, shared = Peer(most=1), share(3)
    before = len(os.listdir("/proc/self/fd"))
    with shared.acquire(NO_LIMIT, cancel, peer.make):
        shared.release_idle()  # somebody is here
        assert not peer.made[0].left
    shared.release_idle()
    shared.release_idle()
    assert peer.made[0].left
    assert len(os.listdir("/proc/self/fd")) == before
    with shared.acquire(NO_LIMIT, cancel, peer.make) as connection:
        assert connection is peer.made[1]
