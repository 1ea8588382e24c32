"""The programs once more under valgrind: no error passes through our library."""
import shutil

import pytest

from look import boxes, ready

pytestmark = [pytest.mark.long,
              pytest.mark.skipif(not shutil.which("valgrind"), reason="no valgrind")]

RUNS = ["vfork exit", "handlers connect", "handlers dlopen {plugin}", "handlers jump",
        "cancel deferred read", "cancel deferred connect", "cancel deferred any",
        "closing closefrom 3", "closing loop 3", "moves dup2", "moves dup3-file", "moves fclose",
        "moves freopen", "moves disconnect", "passes scm", "passes fastopen", "passes mmsg",
        "plugin deepbind", "threads plain", "exec spawn", "limits nofile", "dials 127.0.0.1",
        "tls_threads own 4", "tls_threads given 4", "http pairs {http}", "http chaos {http}",
        "http cancel {http} deferred", "http cancel {http} async", "http handler {http}",
        "http jump {http}"]


def errors(log):
    """Those whose stack has a frame of ours."""
    found, block = [], []
    for line in log.splitlines() + ["==0== "]:
        words = line.partition("== ")[2]
        if words.strip():
            block.append(words)
        else:
            found += ["\n".join(block)] if any("libpoolguard" in w for w in block) else []
            block = []
    return found


@pytest.mark.parametrize("unwinder", ["auto", "libunwind", "glibc"])
@pytest.mark.parametrize("run", RUNS)
def test_memcheck_finds_nothing(guard, start, bindir, http_port, home, run, unwinder):
    name, *args = run.format(plugin=bindir / "lib_plugin.so", http=http_port).split()
    app = start(name, *args, unwinder=unwinder, env={"TORTURE_LOOP": 1, "LD_LIBRARY_PATH": bindir},
                wrapper=["valgrind", "--vgdb=no", "--child-silent-after-fork=yes",
                         f"--log-file={home}/valgrind.%p"])
    ready(app)
    assert app.pid in boxes(guard), "it was not guarded"
    logs = [path.read_text() for path in home.glob("valgrind.*")]
    assert logs and not sum(map(errors, logs), []), "\n\n".join(sum(map(errors, logs), []))
