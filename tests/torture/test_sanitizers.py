"""Programs built with a sanitizer, the runtime inside or in front of us."""
import subprocess

import pytest

from conftest import PROGRAMS
from look import assert_right, end, ready

BUILDS = {"gcc-asan": ["gcc", "-fsanitize=address"], "clang-asan": ["clang", "-fsanitize=address"],
          "gcc-tsan": ["gcc", "-fsanitize=thread"], "clang-tsan": ["clang", "-fsanitize=thread"],
          "gcc-ubsan": ["gcc", "-fsanitize=undefined"],
          "clang-ubsan": ["clang", "-fsanitize=undefined"]}
NOT_RANDOM = ["setarch", "-R"]  # gcc's TSan knows few memory layouts


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A program, threads.c mostly, in one of BUILDS."""
    ready_made = {}

    def build(name, source="threads.c"):
        if (name, source) not in ready_made:
            cc, flag = BUILDS[name]
            out = tmp_path_factory.mktemp("sanitized") / name
            subprocess.run([cc, flag, "-std=gnu11", "-D_GNU_SOURCE", "-g", "-pthread",
                            PROGRAMS / source, "-o", out], check=True)
            ready_made[name, source] = out
        return ready_made[name, source]
    return build


def preload(guard, name):
    """gcc's ASan wants to be the first; it is a library of its own."""
    if name != "gcc-asan":
        return guard.lib
    runtime = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True)
    return f"{runtime.stdout.strip()} {guard.lib}"


@pytest.mark.parametrize("name", BUILDS)
def test_threads_connect_and_end(guard, start, built, loop, name):
    app = start(built(name), "plain", wrapper=NOT_RANDOM if "tsan" in name else [],
                env={"LD_PRELOAD": preload(guard, name), "ASAN_OPTIONS": "detect_leaks=0"})
    ready(app)
    assert_right(guard, app.pid, 2)
    end(app)


@pytest.mark.long
@pytest.mark.parametrize("name", BUILDS)
def test_threads_that_speak_http_end(guard, start, built, http_port, loop, name):
    app = start(built(name, "http.c"), "pairs", http_port,
                wrapper=NOT_RANDOM if "tsan" in name else [],
                env={"LD_PRELOAD": preload(guard, name), "ASAN_OPTIONS": "detect_leaks=0"})
    ready(app)
    assert_right(guard, app.pid, 5)
    end(app)


@pytest.mark.parametrize("name", ["gcc-asan", "clang-asan"])
def test_an_overflow_in_a_read_is_still_found(guard, start, built, name):
    app = start(built(name), "overflow", env={"LD_PRELOAD": preload(guard, name),
                                              "TORTURE_LOOP": 0})
    assert app.finish() == 1
    assert "heap-buffer-overflow" in app.stderr and "overflow" in app.stderr
