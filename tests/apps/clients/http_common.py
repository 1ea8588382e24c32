"""What the HTTP clients in Python share: `main` does the fault that is named and stands still.

    CLIENT.py URL FAULT [CA]

What is read is printed: it is the same without the guard. What a fault returns outlives it.
"""
import sys
import threading
import time

url, fault, *ca = sys.argv[1:]
LEAKS, MANY, THREADS, ROUNDS = 5, 24, 4, 10
PAUSE = 0.05  # a clock, not an event: each lies idle for more than a tenth of leak_after
PART = 100_000


def main(faults, wait=sys.stdin.readline):
    kept = faults[fault]()
    print("STILL", flush=True)
    wait()
    return kept


def used_again(step):
    """step(page) again and again, each time after the server has closed what lies idle."""
    for _ in range(THREADS):
        step("idle")
        print("AGAIN", flush=True)
        sys.stdin.readline()
    step("small")


def together(step, rounds=ROUNDS):
    """step() in all threads at once, round by round."""
    barrier = threading.Barrier(THREADS)

    def work():
        for _ in range(rounds):
            barrier.wait()
            step()

    workers = [threading.Thread(target=work) for _ in range(THREADS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def hold(count, step):
    """So many results of step(), some time apart."""
    kept = []
    for _ in range(count):
        kept.append(step())
        time.sleep(PAUSE)
    return kept


def common(open, part, all, close):
    """Faults that most clients can have: by open(page), which returns a response of which the head
    was read, and part(response), all(response), close(response)."""
    def use(page, *uses):
        response = open(page)
        for do in uses:
            do(response)
        return response

    def read_part(response):
        print(len(part(response)))

    def read_all(response):
        print(len(all(response)), flush=True)

    def asleep(page):
        print("STILL", flush=True)
        return use(page, read_all)

    return {
        "unread": lambda: hold(LEAKS, lambda: use("large")),
        "half": lambda: hold(LEAKS, lambda: use("large", read_part)),
        "undrained": lambda: hold(LEAKS, lambda: use("large", read_part, close)),
        "undrained-chunks": lambda: hold(LEAKS, lambda: use("chunked", read_part, close)),
        "undelimited": lambda: hold(LEAKS, lambda: use("endless", read_part, close)),
        "error": lambda: hold(LEAKS, lambda: use("error")),
        "error-page": lambda: hold(LEAKS, lambda: use("error-page")),
        "hangup": lambda: hold(LEAKS, lambda: use("hangup")),
        "bye": lambda: hold(LEAKS, lambda: use("bye")),
        "stall": lambda: asleep("stall"),
        "slow": lambda: asleep("slow"),
        "churn": lambda: [use("small", read_all, close) for _ in range(MANY)],
        "churn-bye": lambda: [use("bye", read_all, close) for _ in range(MANY)],
    }
