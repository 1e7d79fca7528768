import asyncio

import pytest

from tests.telegram_server import RealClock, VirtualClock


async def test_sleepers_wake_in_order_at_their_own_time() -> None:
    clock = VirtualClock(start=100.0)
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, *pauses: float) -> None:
        for pause in pauses:
            await clock.sleep(pause)
            woken.append((name, clock.time()))

    tasks = [asyncio.create_task(sleeper("a", 5, 5)), asyncio.create_task(sleeper("b", 3, 3, 3))]
    await asyncio.sleep(0)
    await clock.advance(9.5)
    assert woken == [("b", 103), ("a", 105), ("b", 106), ("b", 109)]
    assert clock.time() == 109.5
    await clock.drive(asyncio.gather(*tasks))
    assert clock.time() == 110


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = VirtualClock()
    task = asyncio.create_task(clock.sleep(5))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert clock.next_wake is None


async def test_driving_has_a_limit() -> None:
    clock = VirtualClock()

    async def forever() -> None:
        while True:
            await clock.sleep(60)

    with pytest.raises(AssertionError, match="not done after"):
        await clock.drive(forever(), limit=600)


def test_real_time_does_not_go_back() -> None:
    clock = RealClock()
    assert clock.time() <= clock.time()
