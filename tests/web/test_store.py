"""The record of finished attempts: claims, their age and their number."""

import sys
import threading

import pytest

from smartcar_auth.web.store import ProcessStore
from web.browser import Clock


@pytest.fixture
def clock():
    """Seconds that pass when a test says so."""
    return Clock(1000.0)


def test_claim_counts_once(clock):
    """The first claim wins; a later one learns what the first recorded."""
    store = ProcessStore(clock=clock)
    assert store.claim("a", "running", 60) is None
    assert store.claim("a", "other", 60) == "running"
    assert store.claim("b", "other", 60) is None


def test_settle_replaces_the_value(clock):
    """After settling, everybody sees the outcome."""
    store = ProcessStore(clock=clock)
    store.claim("a", "running", 60)
    store.settle("a", "granted", 60)
    assert store.find("a") == "granted"
    assert store.claim("a", "again", 60) == "granted"


def test_find_knows_nothing_of_pending_attempts(clock):
    """What nobody claimed is not there."""
    assert ProcessStore(clock=clock).find("a") is None


def test_record_is_forgotten_when_its_time_is_over(clock):
    """An expired record is none, and its attempt may be claimed again."""
    store = ProcessStore(clock=clock)
    store.claim("a", "granted", 60)
    clock.now += 59
    assert store.find("a") == "granted"
    clock.now += 1
    assert store.find("a") is None
    assert store.claim("a", "again", 60) is None


def test_expired_records_leave_memory(clock):
    """New claims push out what has expired."""
    store = ProcessStore(clock=clock)
    for number in range(5):
        store.claim(str(number), "granted", 60)
    clock.now += 60
    store.claim("new", "granted", 60)
    assert len(store) == 1


def test_capacity_forgets_the_oldest_first(clock):
    """Memory is bounded: beyond capacity the oldest goes, and settling makes a record young again."""
    store = ProcessStore(capacity=2, clock=clock)
    store.claim("a", "running", 60)
    store.claim("b", "running", 60)
    store.settle("a", "granted", 60)
    store.claim("c", "running", 60)
    assert (store.find("a"), store.find("b"), store.find("c")) == ("granted", None, "running")
    assert len(store) == 2


@pytest.fixture
def _impatient_threads():
    """Threads take turns as often as Python can, so that a gap between look and claim shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-7)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_impatient_threads")
def test_claim_is_atomic_between_threads(clock):
    """Of many threads that claim at once, one wins."""
    store = ProcessStore(clock=clock)
    barrier = threading.Barrier(8)
    won = []

    def claim():
        barrier.wait()
        for number in range(2000):
            if store.claim(str(number), "x", 60) is None:
                won.append(number)

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == list(range(2000))
