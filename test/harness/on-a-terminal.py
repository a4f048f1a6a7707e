"""Runs a program on a terminal of its own: on-a-terminal.py '[["wait","TEXT"],["type","q"],["size",30,100],["signal",15]]' PROGRAM ARG...

Prints JSON: what was written, how it ended, and whether the terminal's settings are what they were before.
"""
import fcntl, json, os, pty, select, signal, struct, sys, termios, time

steps, command = json.loads(sys.argv[1]), sys.argv[2:]
parent, child = pty.openpty()
fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
before = termios.tcgetattr(child)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(child, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(child, fd)
    os.execvp(command[0], command)
seen, deadline = b"", time.monotonic() + 60


def read(until):
    global seen
    at = len(seen)
    while until not in seen[at:]:
        if time.monotonic() > deadline:
            return False
        if select.select([parent], [], [], 0.2)[0]:
            seen += os.read(parent, 65536)
        elif os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return until in seen[at:]
    return True


met = []
for step in steps:
    if step[0] == "wait":
        met.append(read(step[1].encode()))
    elif step[0] == "type":
        os.write(parent, step[1].encode())
    elif step[0] == "size":
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", step[1], step[2], 0, 0))
    elif step[0] == "signal":
        os.kill(pid, step[1])
ended = None
while ended is None and time.monotonic() < deadline:
    if select.select([parent], [], [], 0.05)[0]:
        seen += os.read(parent, 65536)
    done = os.waitpid(pid, os.WNOHANG)
    ended = os.waitstatus_to_exitcode(done[1]) if done[0] else None
if ended is None:
    os.kill(pid, signal.SIGKILL)
while select.select([parent], [], [], 0.1)[0]:
    seen += os.read(parent, 65536)
same = termios.tcgetattr(child) == before
print(json.dumps({"met": met, "exit": ended, "restored": same, "output": seen.decode("utf-8", "replace")}))
