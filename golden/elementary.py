"""Elementary functions rounded once from 200 bits: what the engine's are held against.

    pip install mpmath==1.3.0
    python golden/elementary.py > golden/elementary.txt

A line is the function, the bits of its arguments and the bits of its value, in hexadecimal; `f` at the end of a name is float32.
"""

import random
import struct

import mpmath

mpmath.mp.prec = 200
draw = random.Random(2026)


def single(x):
    """The nearest float32, of a number whose float32 is normal or zero."""
    with mpmath.workprec(24):
        return float(+mpmath.mpf(x))


def double(x):
    with mpmath.workprec(53):
        return float(+mpmath.mpf(x))


def bits(x, kind):
    return struct.pack(">f" if kind is single else ">d", x).hex()


def line(name, kind, function, *arguments):
    value = kind(function(*[mpmath.mpf(x) for x in arguments]))
    print(name, *[bits(x, kind) for x in arguments], bits(value, kind))


def points(kind, low, high, count=60):
    return [kind(draw.uniform(low, high)) for _ in range(count)]


def logarithmic(kind, low, high, count=60):
    return [kind(mpmath.power(10, draw.uniform(low, high))) for _ in range(count)]


for name, kind, lowest, highest in [("expf", single, -87, 88), ("exp", double, -708, 709)]:
    for x in [0.0, 1.0, -1.0] + points(kind, -1, 1) + points(kind, -20, 0) + points(kind, lowest, highest):
        line(name, kind, mpmath.exp, x)
for name, kind, power in [("logf", single, 37), ("log", double, 300)]:
    for x in [1.0, 2.0, 0.5] + points(kind, 0.5, 2) + points(kind, 1, 256) + logarithmic(kind, -power, power):
        line(name, kind, mpmath.log, x)
for name, function in [("sin", mpmath.sin), ("cos", mpmath.cos)]:
    for x in [0.0, 3.141592653589793] + points(double, -3.2, 3.2) + points(double, 0, 6.3):
        line(name, double, function, x)
for base in [0.9, 0.95, 0.98, 0.99, 0.999, 0.9999, 0.5, 0.1]:
    for exponent in [1, 2, 3, 10, 100, 430, 999] + [draw.randrange(1, 5000) for _ in range(10)]:
        if base**exponent > 1e-300:
            line("pow", double, mpmath.power, base, float(exponent))
