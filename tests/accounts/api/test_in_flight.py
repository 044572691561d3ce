"""Within a web process, who has asked a lot goes after the others, and never waits for long."""

import threading
import time

from accounts.api import in_flight as module
from accounts.api.in_flight import InFlight


def test_it_waits_until_the_others_are_answered_and_no_longer():
    requests, went = InFlight(), threading.Event()
    requests.began()  # somebody else

    def greedy():
        requests.began()
        requests.let_others_go_first(longest=30)
        went.set()

    thread = threading.Thread(target=greedy)
    thread.start()
    assert not went.wait(0.05)
    requests.ended()
    assert went.wait(10)
    thread.join()


def test_two_that_wait_go_one_after_the_other():
    requests, together, most = InFlight(), [], []

    def greedy():
        requests.began()
        requests.let_others_go_first(longest=30)
        together.append(1)
        requests.began()  # somebody who comes and goes meanwhile
        requests.ended()
        time.sleep(0.01)
        most.append(len(together))
        together.pop()
        requests.ended()

    requests.began()
    threads = [threading.Thread(target=greedy) for _ in range(module.MOST_WAITING)]
    for thread in threads:
        thread.start()
    requests.ended()
    for thread in threads:
        thread.join()
    assert most == [1] * module.MOST_WAITING


def test_nobody_waits_for_ever_nor_fills_the_process():
    requests, began = InFlight(), time.monotonic()
    requests.began()
    requests.began()
    requests.let_others_go_first(longest=0.02)
    assert time.monotonic() - began >= 0.02
    requests._waiting = module.MOST_WAITING
    began = time.monotonic()
    requests.let_others_go_first(longest=30)
    assert time.monotonic() - began < 10
