# Runs before every script that this program gives to a Python. From here on there are two processes: this one only looks
# after the other, which goes on with the script behind this text. When the script's process has ended, however it ended, or
# descriptor 0 is hung up, which is when the program on its other end wants an end or is gone itself, everything that was
# started meanwhile is killed: children, and on Linux also those that were given a session of their own and lost their parent.
import sys

# The current folder is not a place to import from.
sys.path[:] = [folder for folder in sys.path if folder]
if sys.version_info < (3, 7):
    sys.stderr.write("this Python is too old\n")
    sys.exit(127)


def supervise():
    import os
    import select
    import signal

    def adopt():
        # What loses its parent becomes this process's child and not init's. 36 is PR_SET_CHILD_SUBREAPER in linux/prctl.h.
        # Where it cannot be had, what has left its group and its parent is not found again.
        if sys.platform.startswith("linux"):
            try:
                import ctypes

                ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
            except (ImportError, OSError, AttributeError):
                pass

    def descendants():
        """Every process below this one; none where there is no /proc."""
        children = {}
        try:
            names = os.listdir("/proc")
        except OSError:
            return []
        for name in names:
            if not name.isdigit():
                continue
            try:
                with open("/proc/%s/stat" % name, "rb") as file:
                    # The name of the program stands in parentheses and may hold anything.
                    fields = file.read().rpartition(b")")[2].split()
                children.setdefault(int(fields[1]), []).append(int(name))
            except (OSError, IndexError, ValueError):
                continue
        found, left = [], [os.getpid()]
        while left:
            below = children.pop(left.pop(), [])
            found += below
            left += below
        return found

    def send(process, number):
        try:
            os.kill(process, number)
        except OSError:
            pass

    def reap(wanted):
        """The status of a process that has ended, if it is the wanted one; whether there are others left."""
        status = None
        while True:
            try:
                process, ended = os.waitpid(-1, os.WNOHANG)
            except OSError:
                return status, False
            if process == 0:
                return status, True
            if process == wanted:
                status = ended

    def end_all(main):
        for _ in range(500):
            # Stopped first, so that none of them starts another one meanwhile.
            stopped = set()
            while True:
                new = [process for process in descendants() if process not in stopped]
                if not new:
                    break
                for process in new:
                    send(process, signal.SIGSTOP)
                stopped.update(new)
            for process in stopped:
                send(process, signal.SIGKILL)
            try:
                os.killpg(main, signal.SIGKILL)
            except OSError:
                pass
            if not reap(None)[1]:
                return
            select.select([], [], [], 0.002)

    woken, waker = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # Before there is anything that could lose its parent; a child does not inherit it.
    adopt()
    main = os.fork()
    if main == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(woken)
        os.close(waker)
        # A group of its own: what it sends to its group is not for the process that looks after it.
        os.setpgid(0, 0)
        return
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.dup2(null, 2)
    status = None
    watched = select.poll()
    # No event asked for: only a hang-up is told.
    watched.register(0, 0)
    watched.register(woken, select.POLLIN)
    while status is None:
        told = [descriptor for descriptor, _ in watched.poll()]
        if 0 in told:
            break
        try:
            os.read(woken, 4096)
        except OSError:
            pass
        status = reap(main)[0]
    end_all(main)
    if status is None:
        os._exit(1)
    if os.WIFSIGNALED(status):
        # Ends as the script did, for whoever asks; its core, if it left one, is enough.
        try:
            import resource

            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        except (ImportError, OSError, ValueError):
            pass
        send(os.getpid(), os.WTERMSIG(status))
    os._exit(os.WEXITSTATUS(status))


supervise()
del supervise
