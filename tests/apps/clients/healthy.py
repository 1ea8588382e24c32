"""What the healthy Python clients have in common: work in the background, and rest."""
import os
import sys
import threading
import time
import traceback

PAUSE = 0.15  # longer than a tenth of leak_after: what rests for so long can be passed over


def background(work, *arguments):
    """In a thread; when it fails, so does the program."""
    def run():
        try:
            work(*arguments)
        except BaseException:
            traceback.print_exc()
            os._exit(1)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def steadily(work, pause=0.1):
    """For ever, in the background."""
    def repeat():
        while True:
            work()
            time.sleep(pause)

    return background(repeat)


def all_at_once(count, work):
    barrier = threading.Barrier(count)

    def run():
        barrier.wait()
        work()

    for thread in [background(run) for _ in range(count)]:
        thread.join()


def in_threads_that_stay(count, work):
    """Each does its work when the one before has done its, after a pause; none ends."""
    for _ in range(count):
        done = threading.Event()
        background(lambda: (work(), done.set(), threading.Event().wait()))
        done.wait()
        time.sleep(PAUSE)


def rest():
    """Until the test has asked all that it wants to know."""
    print("READY", flush=True)
    sys.stdin.readline()
