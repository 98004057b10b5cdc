# What the interpreter and its library want from the system: files, folders, links, times, errors.
import errno
import os
import stat
import tempfile
import time


def say(name, *values):
    print(f"{name}:", *values)


def failure(action, *arguments, **options):
    """The name of the error that an action ends with."""
    try:
        action(*arguments, **options)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "no error"


os.mkdir("folder")
say("mkdir again", failure(os.mkdir, "folder"))
say("mkdir without parent", failure(os.mkdir, "no/folder"))

with open("folder/text", "w", newline="\n") as file:
    for number in range(1000):
        file.write(f"line {number}\n")
say("size", os.path.getsize("folder/text"))
with open("folder/text") as file:
    lines = file.readlines()
say("lines", len(lines), repr(lines[999]))

with open("folder/text", "r+b") as file:
    file.seek(-10, os.SEEK_END)
    say("tail", file.read())
    file.seek(5)
    file.write(b"ZERO")
    file.seek(20000)
    file.write(b"far")
    file.flush()
    os.fsync(file.fileno())
    say("grown", os.fstat(file.fileno()).st_size)
    file.truncate(9)
    say("cut", os.fstat(file.fileno()).st_size)
with open("folder/text", "ab") as file:
    file.write(b"!")
    say("appended at", file.tell())
with open("folder/text", "rb") as file:
    say("content", file.read())

descriptor = os.open("folder/text", os.O_RDWR)
say("pread", os.pread(descriptor, 4, 5), os.lseek(descriptor, 0, os.SEEK_CUR))
say("pwrite", os.pwrite(descriptor, b"AB", 1), os.pread(descriptor, 16, 0))
os.close(descriptor)
say("closed", failure(os.read, descriptor, 1))
say("exclusive", failure(os.open, "folder/text", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
say("missing", failure(open, "folder/none"))
say("folder as file", failure(open, "folder", "w"))
say("file as folder", failure(os.listdir, "folder/text"))
say("below a file", failure(open, "folder/text/x"))
say("long name", failure(open, "x" * 300))
descriptor = os.open("folder/text", os.O_RDONLY)
say("write to a reader", failure(os.write, descriptor, b"x"))
say("seek before the start", failure(os.lseek, descriptor, -1, os.SEEK_SET))
os.close(descriptor)

for name in ["b", "a", "c"]:
    with open(f"folder/{name}", "x"):
        pass
os.mkdir("folder/sub")
say("listed", sorted(os.listdir("folder")))
with os.scandir("folder") as entries:
    say("scanned", sorted((entry.name, entry.is_dir(), entry.is_file()) for entry in entries))
for number in range(300):
    with open(f"folder/sub/a name that is rather long, number {number:03}", "w"):
        pass
names = os.listdir("folder/sub")
say("many", len(names), len(set(names)), min(names), max(names))

os.rename("folder/a", "folder/sub/moved")
say("moved", os.path.exists("folder/a"), os.path.isfile("folder/sub/moved"))
say("onto a folder", failure(os.rename, "folder/b", "folder/sub"))
say("folder onto a file", failure(os.rename, "folder/sub", "folder/b"))
say("replaced", os.replace("folder/b", "folder/c"), os.path.exists("folder/b"))
say("rmdir of a full one", failure(os.rmdir, "folder/sub"))
say("rmdir of a file", failure(os.rmdir, "folder/c"))
say("unlink of a folder", failure(os.unlink, "folder/sub"))

os.symlink("text", "folder/link")
os.symlink("nowhere", "folder/dangling")
os.symlink("loop", "folder/loop")
say("link", os.readlink("folder/link"), os.path.islink("folder/link"), os.stat("folder/link").st_size)
say("lstat", stat.S_ISLNK(os.lstat("folder/link").st_mode), os.lstat("folder/link").st_size)
say("dangling", failure(os.stat, "folder/dangling"), os.path.lexists("folder/dangling"))
say("loop", failure(os.stat, "folder/loop"))
say("readlink of a file", failure(os.readlink, "folder/text"))
say("absolute link", failure(os.symlink, "/etc", "folder/absolute"))
say("outside", failure(open, "folder/../../outside"))
os.link("folder/text", "folder/hard")
say("links", os.stat("folder/text").st_nlink)
say("same file", os.path.samefile("folder/text", "folder/hard"))

os.utime("folder/text", ns=(1_000_000_000_123_456_789, 1_234_567_890_987_654_321))
times = os.stat("folder/hard")
say("times", times.st_atime_ns, times.st_mtime_ns)

with tempfile.TemporaryDirectory(dir=".") as scratch:
    with open(os.path.join(scratch, "x"), "w") as file:
        print("temporary", file=file)
    say("temporary", os.listdir(scratch))
say("removed", not os.path.exists(scratch))

count = 0
for path, folders, files in os.walk("folder", topdown=False):
    for name in files:
        os.unlink(os.path.join(path, name))
        count += 1
    for name in folders:
        os.rmdir(os.path.join(path, name))
os.rmdir("folder")
say("cleaned", count, [name for name in os.listdir(".") if not name.endswith(".py")])

before = time.monotonic_ns()
time.sleep(0.02)
say("slept", time.monotonic_ns() - before >= 20_000_000)
say("clock", time.time() > 1.6e9)
say("random", len(os.urandom(40)), os.urandom(16) != os.urandom(16))
say("environment", os.environ.get("GREETING"))
