"""Tries what a program in isolation must not be able to do, and prints a line for each: its name and what came of it."""

import ctypes
import mmap
import os
import resource
import socket
import sys
import threading

secret, port = sys.argv[1], int(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)


def attempt(name, action):
    try:
        print(f"{name}: done {action()}".rstrip(), flush=True)
    except MemoryError:
        print(f"{name}: MemoryError", flush=True)
    except OSError as error:
        print(f"{name}: {os.strerror(error.errno)}", flush=True)
    except ValueError as error:
        print(f"{name}: {error}", flush=True)


def call(number, *arguments):
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(argument) for argument in arguments])
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result


def thread():
    own = threading.Thread(target=lambda: None)
    own.start()
    own.join()


def tcp():
    socket.create_connection(("127.0.0.1", port), 1)


def udp():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", port))


x86 = os.uname().machine == "x86_64"
here, folder = os.getcwd(), os.path.dirname(secret)
attempt("a thread", thread)
attempt("its own file", lambda: open("own.txt").read())
attempt("the null device", lambda: open(os.devnull, "w").write("x"))
attempt("a signal to itself", lambda: os.kill(os.getpid(), 0))
attempt("variables", lambda: ",".join(sorted(os.environ)))
attempt("home", lambda: os.environ["HOME"] == here)
attempt("open files", lambda: [n for n in range(3, 64) if not libc.fcntl(n, 1) == -1])
attempt("a secret", lambda: open(secret).read())
attempt("a link to a secret", lambda: open("link").read())
attempt("a list of files", lambda: os.listdir(folder))
attempt("password hashes", lambda: open("/etc/shadow").read())
attempt("its parent's variables", lambda: open(f"/proc/{os.getppid()}/environ").read())
attempt("its parent's memory", lambda: call(310 if x86 else 270, os.getppid(), 0, 0, 0, 0, 0))
attempt("a new file", lambda: open("new", "x"))
attempt("a changed file", lambda: open("own.txt", "a"))
attempt("a shortened file", lambda: os.truncate("own.txt", 0))
attempt("a file shortened while it is read", lambda: os.open("own.txt", os.O_RDONLY | os.O_TRUNC))
attempt("a deleted file", lambda: os.remove("own.txt"))
attempt("a deleted secret", lambda: os.remove(secret))
attempt("a renamed file", lambda: os.rename("own.txt", "other.txt"))
attempt("a link to a file", lambda: os.link("own.txt", "hard"))
attempt("a folder", lambda: os.mkdir("folder"))
attempt("other rights", lambda: os.chmod(secret, 0))
attempt("other times", lambda: os.utime(secret, (0, 0)))
attempt("another owner", lambda: os.chown(secret, 1, 1))
attempt("TCP", tcp)
attempt("UDP", udp)
attempt("a Unix socket", lambda: socket.socket(socket.AF_UNIX).connect(os.path.join(folder, "socket")))
attempt("an abstract socket", lambda: socket.socket(socket.AF_UNIX).connect("\0grading"))
attempt("a netlink socket", lambda: socket.socket(socket.AF_NETLINK))
attempt("io_uring", lambda: call(425, 1, 0))
if x86:
    attempt("a socket of x32", lambda: call(41 | 0x40000000, 2, 1, 0))
attempt("a process", os.fork)
attempt("a program", lambda: os.posix_spawn("/bin/true", ["true"], {}))
attempt("its own process group", lambda: os.setpgid(0, 0))
attempt("a session", os.setsid)
attempt("a signal to its parent", lambda: os.kill(os.getppid(), 9))
attempt("a signal to everyone", lambda: os.kill(-1, 0))
attempt("a signal by an event", lambda: __import__("fcntl").fcntl(0, 10, 9))
attempt("living on", lambda: libc.prctl(1, 0) == 0 or call(157 if x86 else 167, 1, 0))
attempt("higher limits", lambda: call(302 if x86 else 261, 0, 2, ctypes.addressof(ctypes.create_string_buffer(16)), 0))
attempt("the parent's limits", lambda: resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (9, 9)))
attempt("reading limits", lambda: resource.getrlimit(resource.RLIMIT_DATA)[1] >> 20)
attempt("memory", lambda: len(bytearray(1 << 30)))
attempt("shared memory", lambda: mmap.mmap(-1, 1 << 20))
attempt("memory as a file", lambda: os.memfd_create("x"))
attempt("lasting memory", lambda: call(29 if x86 else 194, 0, 4096, 0o1600))
attempt("the clock", lambda: __import__("time").clock_settime(0, 0))
attempt("the host's name", lambda: socket.sethostname("x"))
attempt("a mount", lambda: call(165 if x86 else 40, 0, 0, 0, 0, 0))
attempt("a namespace", lambda: call(272 if x86 else 97, 0x10000000))
attempt("tracing", lambda: call(101 if x86 else 117, 16, os.getppid(), 0, 0))
