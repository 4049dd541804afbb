"""Schedulers of inferences on a unit, from their descriptions: lst, prema, planaria, sdrm3 and dysta.

They are computed with fractions. What floating point makes of two scores is known where both were come by in the same
way or where nothing was rounded on the way; other scores that are nearly equal are not decided: `NearTie`.
"""
import functools
from fractions import Fraction

NEARLY = 1e-9  # of the greater of two
HARDLY = 1e-12


class NearTie(Exception):
    """A choice that hangs on the last digits."""


class Number:
    def __init__(self, value, way, sure):
        self.value = value  # a fraction
        self.nearest = float(value)
        self.way = way    # how it was come by, as a tree
        self.sure = sure  # floating point makes the nearest of it

    @property
    def exact(self):
        return self.sure and self.nearest.as_integer_ratio() == (self.value.numerator, self.value.denominator)

    def _with(self, sign, other, value):
        return Number(value, (sign, self.way, other.way), self.exact and other.exact)

    def __add__(self, other):
        return self._with("+", other, self.value + other.value)

    def __sub__(self, other):
        return self._with("-", other, self.value - other.value)

    def __mul__(self, other):
        return self._with("*", other, self.value * other.value)

    def __truediv__(self, other):
        return self._with("/", other, self.value / other.value)

    def __neg__(self):
        return Number(-self.value, ("-", self.way), self.sure)

    def same(self, other):
        return self.sure and other.sure and self.value == other.value or self.way == other.way

    def near(self, other):
        a, b = self.nearest, other.nearest
        return abs(a - b) <= HARDLY + NEARLY * max(abs(a), abs(b))

    def at_least(self, other):
        if self.near(other) and not self.same(other):
            raise NearTie
        return self.nearest >= other.nearest


@functools.lru_cache(maxsize=10_000)
def plain(x):
    """A number that stands in a document or in a rule."""
    return Number(Fraction(x), x, True)


def ms(us):
    """A time or a difference of two; eighths of a millisecond are the same in every floating point."""
    return Number(Fraction(us, 1000), ("us", us), us % 125 == 0)


ZERO, ONE = plain(0), plain(1)


def least(a, b):
    if a.near(b) and not a.same(b):
        return Number(min(a.value, b.value), ("least", a.way, b.way), False)
    return a if a.nearest <= b.nearest else b


def greatest(a, b):
    return -least(-a, -b)


class Claim:
    """A frame that wants the unit. Instants in whole microseconds, durations in milliseconds."""

    def __init__(self, app, frame, arrival, deadline, priority, isolated, remaining, following, ran, stretch):
        self.app = app            # index
        self.frame = frame        # number
        self.arrival = arrival
        self.deadline = deadline  # None = none
        self.priority = priority
        self.isolated = plain(isolated)
        self.remaining = plain(remaining)
        self.following = plain(following)  # its next layer or block
        self.ran = ran
        self.stretch = plain(stretch)

    def slack(self, now):
        return None if self.deadline is None else ms(self.deadline - now)

    def idle(self, now):
        return ms(now - self.ran)

    def weight(self):
        return plain({0: 1, 1: 3}.get(self.priority, 9))


def first_of_least(claims, keys):
    """That whose key, a list of numbers, is least; of equal ones the first. And how many have the same key."""
    best = min(range(len(claims)), key=lambda i: [number.nearest for number in keys[i]])
    equals = 1
    for i, key in enumerate(keys):
        if i == best:
            continue
        for mine, its in zip(keys[best], key):
            if mine.same(its):
                continue
            if mine.near(its):
                raise NearTie
            break
        else:
            equals += 1
    return claims[best], equals


class Rule:
    """One that gives the unit to the claim of the least key."""

    def __init__(self, parameters):
        self.variant = parameters.get("variant", "corrected")
        self.equals = 1  # of the last choice: claims that were as good

    def key(self, claim, claims, now):
        raise NotImplementedError

    def shown(self, claims):
        return sorted(claims, key=lambda claim: (claim.arrival, claim.app))

    def pick(self, claims, now):
        claims = self.shown(claims)
        claim, self.equals = first_of_least(claims, [self.key(claim, claims, now) for claim in claims])
        return claim


class Lst(Rule):
    """Least slack time."""

    def key(self, claim, _claims, now):
        slack = claim.slack(now)
        return [ONE, ZERO] if slack is None else [ZERO, slack - claim.remaining]


class Prema(Rule):
    """Tokens grow with the share of its own time that a frame has been idle; the shortest of those that have many."""
    THRESHOLDS = 9, 3, 1

    def __init__(self, parameters):
        super().__init__(parameters)
        self.tokens = {}  # by application and frame

    def frame(self, claim):
        return claim.app, claim.frame

    def grow(self, claim, now):
        frame = self.frame(claim)
        self.tokens[frame] = (self.tokens.get(frame, claim.weight()) +
                              claim.weight() * (claim.idle(now) / claim.isolated))
        return self.tokens[frame]

    def key(self, claim, _claims, _now):
        return [claim.remaining]

    def pick(self, claims, now):
        tokens = {claim: self.grow(claim, now) for claim in claims}
        for threshold in map(plain, self.THRESHOLDS):
            rich = [claim for claim in claims if tokens[claim].at_least(threshold)]
            if rich:
                return super().pick(rich, now)
        raise AssertionError("a token of less than 1")


class Planaria(Rule):
    """Weight over slack and resources, of which each has one; the greatest. What is late comes first, the weightiest
    and then the latest. The artefact's scores are negative there."""

    def key(self, claim, _claims, now):
        slack = claim.slack(now)
        if slack is None:
            return [ONE, ZERO, ZERO]
        if slack.value == 0 and self.variant == "artefact":
            return [ZERO, ZERO, ZERO]
        if slack.value <= 0 and self.variant == "corrected":
            return [ZERO, -claim.weight(), slack]
        return [ONE, -(claim.weight() / slack), ZERO]


class Sdrm3(Rule):
    """Urgency and starvation; the greatest. What is late is as urgent as can be; in the artefact, less than not."""
    ALPHA = ONE

    def urgency(self, claim, now):
        slack = claim.slack(now)
        if slack is None:
            return ZERO
        if slack.value == 0 or slack.value < 0 and self.variant == "corrected":
            return ONE
        return least(ONE, claim.remaining / slack)

    def key(self, claim, _claims, now):
        return [-(self.urgency(claim, now) + self.ALPHA * (claim.idle(now) / claim.following))]


class Dysta(Rule):
    """What remains by its own measure, and a little of slack and waiting; without a deadline after all others, by what
    remains alone."""
    BETA = plain(0.01)

    def key(self, claim, claims, now):
        slack = claim.slack(now)
        remaining = claim.stretch * claim.remaining
        if slack is None:
            return [ONE, remaining]
        waiting = claim.idle(now) / claim.isolated / plain(len(claims))
        return [ZERO, remaining + self.BETA * (greatest(ZERO, slack - remaining) + waiting)]


RULES = {"lst": Lst, "prema": Prema, "planaria": Planaria, "sdrm3": Sdrm3, "dysta": Dysta}
