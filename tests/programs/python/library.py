# The interpreter itself: numbers, text, containers, generators, classes, exceptions, and a good part
# of the standard library. Everything is determined, so the output is, too.
import base64
import binascii
import collections
import csv
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import hashlib
import heapq
import io
import itertools
import json
import math
import pickle
import random
import re
import statistics
import string
import struct
import sys
import textwrap
import unicodedata
import zlib


def say(name, *values):
    print(f"{name}:", *values)


say("numbers", 0.1 + 0.2, 1e22, 5e-324, -0.0, 2**200, -7 // 2, -7 % 3, round(2.5), round(0.5, 0))
say("mathematics", math.gcd(2**40 * 9, 6**20), math.isqrt(10**40), math.comb(60, 30), math.fsum([0.1] * 10))
say("formats", f"{math.pi:.15g} {1234567.891:,.2f} {255:#x} {-42:08b} {0.00001234:e} {'x':>5}|{'y':^5}|")
say("fractions", sum(fractions.Fraction(1, n) for n in range(1, 30)))
decimal.getcontext().prec = 60
say("decimals", decimal.Decimal(2).sqrt(), decimal.Decimal("1e-30") / 7)
say("long division", (10**300 + 1) // (10**150 - 7) % 10**40)
say("statistics", statistics.median([3, 1, 4, 1, 5]), statistics.stdev([1, 2, 3, 4]))
generator = random.Random(20240229)
say("random", [generator.randrange(1000) for _ in range(8)], generator.gauss(0, 1))

data = bytes(range(256)) * 200
for name in ["md5", "sha1", "sha256", "sha3_256", "blake2b"]:
    say(name, hashlib.new(name, data).hexdigest()[:40])
packed = zlib.compress(data, 9)
say("zlib", zlib.decompress(packed) == data, len(packed) < 2000, hex(zlib.crc32(data)), hex(zlib.adler32(data)))
say("encodings", base64.b85encode(b"precast").decode(), binascii.hexlify(struct.pack("<hIqd", -2, 7, -1, 1.5)).decode())

text = "The quick brown Füchse — 狐 😀 — jump over 13 lazy dogs on 2024-02-29."
say("unicode", unicodedata.normalize("NFD", "ü") == "u\u0308", unicodedata.name("狐"), text.encode("utf-16-le")[-8:].hex())
say("regular expressions", re.findall(r"\b(?P<word>[A-Za-zü]{4,})\b", text), re.sub(r"(\d+)-(\d+)-(\d+)", r"\3.\2.\1", text)[-11:])
say("wrapped", textwrap.wrap(text, 24))
say("templates", string.Template("$who owes $$${sum}").substitute(who="nobody", sum=5))
say("sorted", sorted("b10 a2 B1 a10 ä".split(), key=str.casefold))

say("json", json.dumps({"b": [1, 2.5, None, True], "a": "\u2028😀"}, sort_keys=True), json.loads('[1e2, "\\u00e9"]'))
table = io.StringIO()
csv.writer(table).writerows([["a", 'say "x"', 3], ["b", "two\nlines", 4]])
say("csv", repr(table.getvalue()), list(csv.reader(io.StringIO(table.getvalue())))[1][1] == "two\nlines")
say("dates", datetime.date(2024, 2, 29) + datetime.timedelta(days=366), datetime.datetime(1999, 12, 31, 23, 59, 59).strftime("%A %j %U %H:%M"))
say("pickle", pickle.loads(pickle.dumps({"x": (1, {2, 3}, b"4", fractions.Fraction(5, 6))})))


@dataclasses.dataclass(order=True, frozen=True)
class Point:
    x: int
    y: int = 0

    def __add__(self, other):
        return Point(self.x + other.x, self.y + other.y)


class Colour(enum.Flag):
    RED = enum.auto()
    GREEN = enum.auto()
    BLUE = enum.auto()


say("classes", Point(1, 2) + Point(3), max(Point(1, 9), Point(2)), Colour.RED | Colour.BLUE, ~Colour.GREEN)
match json.loads('{"kind": "circle", "at": [1, 2], "r": 3}'):
    case {"kind": "circle", "at": [x, y], "r": r} if r > 0:
        say("matched", x, y, r)
    case _:
        say("matched nothing")
say("containers", collections.Counter("mississippi").most_common(2), heapq.nsmallest(3, [9, 4, 7, 1, 8]), list(itertools.islice(itertools.groupby("aabccc"), 1))[0][0])


def primes():
    sieve = {}
    for number in itertools.count(2):
        factor = sieve.pop(number, None)
        if factor is None:
            yield number
            sieve[number * number] = number
        else:
            following = number + factor
            while following in sieve:
                following += factor
            sieve[following] = factor


say("the 20000th prime", next(itertools.islice(primes(), 19999, None)))


@functools.lru_cache(maxsize=1000)
def square(number):
    return number * number


say("cached", sum(square(number % 10) for number in range(1000)), square.cache_info())


def queens(size, row=0, columns=0, left=0, right=0):
    if row == size:
        return 1
    count = 0
    free = ~(columns | left | right) & ((1 << size) - 1)
    while free:
        bit = free & -free
        free ^= bit
        count += queens(size, row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1)
    return count


say("queens", queens(8))


def endless(depth):
    return endless(depth + 1) + 1


def failing(action):
    try:
        action()
    except Exception as error:
        return type(error).__name__
    return "nothing"


say("errors", failing(lambda: endless(0)), failing(lambda: [][1]), failing(lambda: 1 / 0), failing(lambda: int("x")), failing(lambda: b"\xff".decode()), failing(lambda: bytearray(2**40)), failing(lambda: next(iter(()))), failing(lambda: endless(0)))
try:
    try:
        {}["key"]
    except KeyError as error:
        raise ValueError("wrapped") from error
except ValueError as error:
    say("chained", repr(error), repr(error.__cause__))
try:
    raise ExceptionGroup("several", [OSError(1, "first"), TypeError("second")])
except* TypeError as group:
    say("group, types", group.exceptions)
except* OSError as group:
    say("group, system", group.exceptions)
namespace = {}
exec(compile("def f(n):\n    return n and f(n - 1) * 3 + 1\nvalue = f(40)", "<text>", "exec"), namespace)
say("compiled", namespace["value"])
say("arguments", sys.argv[1:], len(sys.stdin.read()))
sys.exit(7)
