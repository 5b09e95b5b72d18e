"""The numbers behind the kernels' GELU: coefficients for crates/kernels/src/gelu.rs, values for its test.

    pip install mpmath==1.4.1
    python golden/layers/normal_tail.py

With Q(x) the standard normal distribution's upper tail and t = (4 - x) / (4 + x), the function
(x + 4) exp(x^2 / 2) Q(x) is smooth and of order 1 for all x >= 0. Chebyshev interpolation on 0 <= x <= LIMIT gives a
polynomial in t whose degree is the least for which the relative error is below a tenth of a unit in the last place.
"""

from mpmath import cos, erfc, exp, mp, mpf, nstr, pi, sqrt

mp.dps = 60
CENTRE = 4


def normal_tail(x):
    return erfc(x / sqrt(2)) / 2


def smooth(t):
    x = CENTRE * (1 - t) / (1 + t)
    return (x + CENTRE) * exp(x * x / 2) * normal_tail(x)


def interpolate(limit, degree):
    """The coefficients of 1, t, t^2, ... and the largest relative error."""
    low = (CENTRE - mpf(limit)) / (CENTRE + mpf(limit))
    middle, half = (1 + low) / 2, (1 - low) / 2
    count = degree + 1
    angles = [pi * (2 * j + 1) / (2 * count) for j in range(count)]
    values = [smooth(middle + half * cos(angle)) for angle in angles]
    chebyshev = [2 / mpf(count) * sum(v * cos(m * a) for v, a in zip(values, angles)) for m in range(count)]
    chebyshev[0] /= 2
    # T(m) as polynomials in t, by their recurrence with u = (t - middle) / half.
    before, now = [mpf(1)], [-middle / half, 1 / half]
    sums = [mpf(0)] * count
    for m, weight in enumerate(chebyshev):
        polynomial = before if m == 0 else now
        for power, coefficient in enumerate(polynomial):
            sums[power] += weight * coefficient
        if m > 0:
            following = [mpf(0)] * (len(now) + 1)
            for power, coefficient in enumerate(now):
                following[power + 1] += 2 / half * coefficient
                following[power] -= 2 * middle / half * coefficient
            for power, coefficient in enumerate(before):
                following[power] -= coefficient
            before, now = now, following
    error = mpf(0)
    for step in range(1001):
        t = low + (1 - low) * step / 1000
        found = sum(c * t**power for power, c in enumerate(sums))
        error = max(error, abs(found / smooth(t) - 1))
    return sums, error


for name, limit, degree in (("f32", "12.8", 9), ("f64", "37", 22)):
    coefficients, error = interpolate(limit, degree)
    print(f"{name}: |x| <= {limit}, degree {degree}, relative error {nstr(error, 3)}; highest power first")
    for coefficient in reversed(coefficients):
        print(f"    {nstr(coefficient, 20, min_fixed=0, max_fixed=0)},")

print("x, GELU(x) = x (1 - Q(x)), its derivative")
for x in (-36, -20, -12.5, -8, -5.25, -3, -1.5, -0.75, -0.1, 2**-40, 0.1, 0.5, 0.75, 1, 2, 3.5, 6, 12, 40):
    x = mpf(x)
    distribution = normal_tail(-x)
    density = exp(-x * x / 2) / sqrt(2 * pi)
    print(f"    ({nstr(x, 20)}, {nstr(x * distribution, 20)}, {nstr(distribution + x * density, 20)}),")
