"""The output of several targets, each in its turn."""

import sys
import threading
import tracemalloc

import pytest

from inetcli.cli.output import Output
from inetcli.cli.turns import BATCH_SIZE, SPOOL_SIZE, TargetOutput
from inetcli.errors import LocalWrite
from inetcli.net.workers import NO_TURN, Turns
from inetcli.secret import Secret, SecretMasker


@pytest.fixture
def turns() -> Turns:
    return Turns()


def outputs(turns: Turns, count: int) -> list[TargetOutput]:
    output = Output()
    return [TargetOutput(number, turns, output, None) for number in range(count)]


def test_nobody_prints_before_the_turn_is_given(turns: Turns, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    (first,) = outputs(turns, 1)
    first.lines(["held back"])
    first.message("a note")
    assert capfdbinary.readouterr() == (b"", b"")
    first.take_turn()
    assert capfdbinary.readouterr() == (b"held back\n", b"a note\n")


def test_the_target_whose_turn_it_is_prints_at_once(turns: Turns, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    first, second = outputs(turns, 2)
    turns.give(0)
    first.rows([{"n": 1}])
    assert capfdbinary.readouterr().out == b'{"n": 1}\n'
    second.rows([{"n": 2}])
    assert capfdbinary.readouterr().out == b""
    second.discard()
    second.take_turn()
    assert capfdbinary.readouterr().out == b""


def test_what_was_held_back_comes_before_what_is_printed_next(
    turns: Turns, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    _, second = outputs(turns, 2)
    turns.give(0)
    second.lines(["one"])
    turns.give(1)
    second.lines(["two"])
    assert capfdbinary.readouterr().out == b"one\ntwo\n"


def test_a_message_in_its_turn_comes_behind_the_messages_that_were_held_back(
    turns: Turns, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    (first,) = outputs(turns, 1)
    first.message("one")
    turns.give(0)
    first.message("two")
    assert capfdbinary.readouterr().err == b"one\ntwo\n"


def test_quiet_suppresses_status_lines_and_keeps_failures(
    turns: Turns, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    turns.give(0)
    output = TargetOutput(0, turns, Output(quiet=True), None)
    output.status("a note")
    output.failure("h/x: refused")
    assert capfdbinary.readouterr().err == b"inetcli: h/x: refused\n"


def test_a_result_of_any_size_takes_constant_memory(turns: Turns, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Held back or printed, a large result goes through batches and a file: far less is ever in memory."""
    row = {"text": "x" * 200}
    count = 20 * SPOOL_SIZE // 200
    (late,) = outputs(turns, 1)
    tracemalloc.start()
    late.rows(row for _ in range(count))
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < 4 * SPOOL_SIZE
    late.take_turn()
    assert capfdbinary.readouterr().out.count(b"\n") == count


def test_rows_are_printed_before_the_last_one_is_there(turns: Turns, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    turns.give(0)
    (first,) = outputs(turns, 1)
    seen: list[int] = []

    def rows():  # type: ignore[no-untyped-def]
        for number in range(3 * BATCH_SIZE):
            yield {"n": number}
        seen.append(capfdbinary.readouterr().out.count(b"\n"))

    first.rows(rows())
    assert seen == [3 * BATCH_SIZE]


def test_threads_that_print_at_once_are_printed_in_their_order(
    turns: Turns, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    all_outputs = outputs(turns, 8)
    turns.give(0)
    barrier = threading.Barrier(len(all_outputs))

    def write(output: TargetOutput) -> None:
        barrier.wait()
        for number in range(200):
            output.lines([f"{output.number} {number}"])

    threads = [threading.Thread(target=write, args=[output]) for output in all_outputs]
    for thread in threads:
        thread.start()
    for output, thread in zip(all_outputs, threads, strict=True):
        output.take_turn()
        thread.join()
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert lines == [f"{output} {number}" for output in range(8) for number in range(200)]


def test_with_nobody_in_turn_each_is_printed_when_it_takes_it(
    turns: Turns, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    first, second = outputs(turns, 2)
    assert turns.current == NO_TURN
    second.lines(["two"])
    second.take_turn()
    turns.give(NO_TURN)
    first.lines(["one"])
    first.take_turn()
    assert capfdbinary.readouterr().out == b"two\none\n"


@pytest.mark.parametrize("number", [0, 1, BATCH_SIZE, 2 * BATCH_SIZE + 1])
def test_any_number_of_lines_is_printed_in_batches(
    number: int, turns: Turns, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    (first,) = outputs(turns, 1)
    first.take_turn()
    first.lines(str(index) for index in range(number))
    assert capfdbinary.readouterr().out.split() == [b"%d" % index for index in range(number)]


def test_passwords_are_masked_in_what_is_held_back_too(turns: Turns, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    secrets = SecretMasker()
    secrets.add(Secret("hunter2"))
    first = TargetOutput(0, turns, Output(secrets=secrets), None)
    first.lines(["PASS hunter2"])
    first.rows([{"a": "PASS hunter2"}])
    first.message("hunter2")
    first.take_turn()
    assert capfdbinary.readouterr() == (b'PASS ***\n{"a": "PASS ***"}\n', b"***\n")


def test_where_standard_output_is_closed_printing_is_an_error(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    (first,) = outputs(turns, 1)
    first.take_turn()
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(LocalWrite):
        first.lines(["x"])
    first.flush()
