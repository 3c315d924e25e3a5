"""The connection pool: at most `max_size` connections at a time, and fewer when the peer rejects extra ones."""

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
    is_quit: bool = False

    def quit(self) -> None:
        self.is_quit = True


@dataclass
class Peer:
    """A peer that makes connections, and rejects those above a maximum."""

    max_connections: int = 100
    made: list[Connection] = field(default_factory=list)

    def make(self) -> Connection:
        if sum(not connection.is_quit for connection in self.made) >= self.max_connections:
            raise Refused("full", reply_code=421)
        self.made.append(Connection())
        return self.made[-1]


@pytest.fixture
def make_pool():
    pools: list[ConnectionPool] = []

    def make(max_size: int) -> ConnectionPool[Connection]:
        pools.append(ConnectionPool(max_size, lambda error: error.reply_code == 421))
        return pools[-1]

    yield make
    for made in pools:
        made.close()


def test_targets_that_follow_one_another_use_the_same_connection(make_pool, cancel: Cancel) -> None:
    peer, pool = Peer(), make_pool(3)
    for _ in range(5):
        with pool.acquire(NO_LIMIT, cancel, peer.make):
            pass
    assert len(peer.made) == 1
    assert not peer.made[0].is_quit


def test_at_most_max_size_connections_at_a_time(make_pool, cancel: Cancel, background) -> None:
    peer, pool = Peer(), make_pool(2)
    inside, together = threading.Semaphore(2), threading.Barrier(2, timeout=20)

    def work() -> None:
        with pool.acquire(NO_LIMIT, cancel, peer.make):
            assert inside.acquire(blocking=False)
            together.wait()
            inside.release()
            together.wait()

    threads = [background(work) for _ in range(6)]
    for thread in threads:
        thread.join()
    assert len(peer.made) == 2


def test_waiting_for_a_slot_ends_with_the_deadline_or_cancel(make_pool, cancel: Cancel) -> None:
    peer, pool = Peer(), make_pool(1)
    with pool.acquire(NO_LIMIT, cancel, peer.make):
        with (
            pytest.raises(TimedOut, match="over"),
            pool.acquire(NO_LIMIT.within(0.01, "over"), cancel, peer.make),
        ):
            pass
        cancel.set()
        with pytest.raises(Cancelled), pool.acquire(NO_LIMIT, cancel, peer.make):
            pass


@pytest.mark.parametrize("error", [None, Refused("no"), KeyboardInterrupt()])
def test_an_unusable_connection_is_quit_and_its_slot_released(make_pool, cancel: Cancel, error) -> None:
    peer, pool = Peer(), make_pool(1)

    def spoil() -> None:
        with pool.acquire(NO_LIMIT, cancel, peer.make) as connection:
            connection.usable = False
            if error:
                raise error

    if error:
        with pytest.raises(type(error)):
            spoil()
    else:
        spoil()
    with pool.acquire(NO_LIMIT, cancel, peer.make):
        pass
    assert [connection.is_quit for connection in peer.made] == [True, False]


def test_a_rejected_extra_connection_makes_the_pool_smaller_and_waits(make_pool, cancel: Cancel, background) -> None:
    peer, pool = Peer(max_connections=1), make_pool(3)
    started, go_on = threading.Event(), threading.Event()

    def first() -> None:
        with pool.acquire(NO_LIMIT, cancel, peer.make):
            started.set()
            assert go_on.wait(20)

    background(first)
    assert started.wait(20)

    def second() -> None:
        with pool.acquire(NO_LIMIT, cancel, peer.make) as connection:
            assert connection is peer.made[0]

    others = [background(second) for _ in range(2)]
    go_on.set()
    for other in others:
        other.join()
    assert len(peer.made) == 1


@pytest.mark.parametrize("error", [Refused("full", reply_code=421), Refused("no", reply_code=530), OSError()])
def test_an_only_connection_that_fails_is_an_error_and_its_slot_is_released(make_pool, cancel: Cancel, error) -> None:
    pool = make_pool(1)

    def refuse() -> Connection:
        raise error

    for _ in range(3):
        with pytest.raises(type(error)), pool.acquire(NO_LIMIT, cancel, refuse):
            pass


def test_the_slot_of_a_connection_rejected_later_is_kept_unless_it_is_the_only_one(make_pool, cancel: Cancel) -> None:
    peer, pool = Peer(), make_pool(2)
    with pool.acquire(NO_LIMIT, cancel, peer.make):
        assert not pool.has_several
        with pool.acquire(NO_LIMIT, cancel, peer.make) as extra:
            assert pool.has_several
            extra.usable, extra.rejected = False, True
        over = NO_LIMIT.within(0.01, "over")
        with pytest.raises(TimedOut), pool.acquire(over, cancel, peer.make):
            pass
    with pool.acquire(NO_LIMIT, cancel, peer.make) as last:
        last.usable, last.rejected = False, True
    with pool.acquire(NO_LIMIT, cancel, peer.make):
        pass  # The last slot is released in every case.


def test_grow_has_an_effect_once(make_pool, cancel: Cancel) -> None:
    peer, pool = Peer(), make_pool(1)
    pool.grow(2)
    pool.grow(2)
    over = NO_LIMIT.within(0.01, "over")
    with (
        pool.acquire(NO_LIMIT, cancel, peer.make),
        pool.acquire(NO_LIMIT, cancel, peer.make),
        pytest.raises(TimedOut),
        pool.acquire(over, cancel, peer.make),
    ):
        pass


def test_close_quits_idle_connections(cancel: Cancel) -> None:
    peer, pool = Peer(), ConnectionPool[Connection](2, lambda _: False)
    with pool.acquire(NO_LIMIT, cancel, peer.make), pool.acquire(NO_LIMIT, cancel, peer.make):
        pass
    pool.close()
    assert [connection.is_quit for connection in peer.made] == [True, True]


def test_a_keyed_cache_makes_each_value_once_for_all_threads(background) -> None:
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


def test_after_release_idle_the_pool_holds_no_descriptor_and_can_be_used_again(make_pool, cancel: Cancel) -> None:
    peer, pool = Peer(max_connections=1), make_pool(3)
    before = len(os.listdir("/proc/self/fd"))
    with pool.acquire(NO_LIMIT, cancel, peer.make):
        pool.release_idle()  # no effect: a target uses the pool
        assert not peer.made[0].is_quit
    pool.release_idle()
    pool.release_idle()
    assert peer.made[0].is_quit
    assert len(os.listdir("/proc/self/fd")) == before
    with pool.acquire(NO_LIMIT, cancel, peer.make) as connection:
        assert connection is peer.made[1]


def test_a_pool_that_grew_while_it_was_used_has_its_size_after_release_idle(make_pool, cancel: Cancel) -> None:
    peer, pool = Peer(), make_pool(1)
    with pool.acquire(NO_LIMIT, cancel, peer.make):
        pool.grow(2)
    pool.release_idle()
    over = NO_LIMIT.within(0.01, "over")
    with pool.acquire(over, cancel, peer.make), pool.acquire(over, cancel, peer.make):
        assert pool.has_several
