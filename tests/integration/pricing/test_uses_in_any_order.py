"""Steps of submissions in any order and repeated: what is counted is always what stands."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from tests.integration.pricing.redeeming import ADA, BOB, confirm, redeemed, release, reserve, uses, void
from tests.integration.pricing.test_promoted_orders import EVERYBODY
from tests.integration.pricing.test_promotions import create, promotion
from tests.integration.pricing.world import World

LIMITS = {"three": (3, None), "each": (None, 1), "any": (None, None)}
"""In all, and of one user."""
ENDS = {"confirm": "CONFIRMED", "release": "RELEASED"}
Attempt = tuple[int, int]


@dataclass(slots=True)
class Model:
    """What should stand: the state of each attempt, and what it uses for whom."""

    states: dict[Attempt, str] = field(default_factory=dict)
    taken: dict[Attempt, tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    def counts(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Reserved and confirmed, by promotion and user."""
        reserved, confirmed = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        for attempt, (user, promotions) in self.taken.items():
            if (state := self.states[attempt]) in ("RESERVED", "CONFIRMED"):
                counter = reserved if state == "RESERVED" else confirmed
                counter.update((id, of) for id in promotions for of in ("", f"acme:{user}"))
        return {key: (reserved[key], confirmed[key]) for key in {*reserved, *confirmed}}

    def reserve(self, attempt: Attempt, user: str, promotions: tuple[str, ...]) -> str:
        """The state that is answered."""
        if attempt in self.states:
            return self.states[attempt]
        counts = self.counts()
        for id in promotions:
            for of, most in zip(("", f"acme:{user}"), LIMITS[id], strict=True):
                if most is not None and sum(counts.get((id, of), (0, 0))) >= most:
                    return "UNSPECIFIED"
        self.states[attempt], self.taken[attempt] = "RESERVED", (user, promotions)
        return "RESERVED"

    def end(self, attempt: Attempt, state: str) -> str:
        """The state that is answered."""
        if self.states.get(attempt, "RESERVED") == "RESERVED":
            self.states[attempt] = state
        return self.states[attempt]

    def void(self, order: int) -> None:
        """Ends what the order's attempts hold or have taken."""
        self.states |= {key: "VOIDED" for key, state in self.states.items() if key[0] == order and state in _STANDING}


_STANDING = ("RESERVED", "CONFIRMED")


async def test_what_is_counted_is_what_stands_whatever_comes_after_what(shop: World) -> None:
    await create(
        shop,
        *(
            promotion(id, **EVERYBODY, redemption_limit=most, redemption_limit_per_user=of_user, value_expression="money('1')")
            for id, (most, of_user) in LIMITS.items()
        ),
    )
    random, model, answers = Random(50), Model(), Counter[str]()
    for _ in range(250):
        order, number = random.randint(1, 12), random.randint(1, 2)
        step = random.choice(["reserve", "reserve", "reserve", "confirm", "release", "void"])
        if step == "void":
            await void(shop, order)
            model.void(order)
            state = "void"
        elif step == "reserve":
            # As an order asks for the same again where it tries again.
            user = (ADA, BOB)[order % 2]
            wanted = tuple(sorted(random.sample(sorted(LIMITS), random.randint(1, 3))))
            state, _ = await reserve(shop, order, *((id, "1") for id in wanted), attempt=number, user_id=user)
            assert state == model.reserve((order, number), user, wanted)
        else:
            state = await (confirm if step == "confirm" else release)(shop, order, number)
            assert state == model.end((order, number), ENDS[step])
        answers[state] += 1
        assert await uses(shop) == {key: counted for key, counted in model.counts().items() if any(counted)}
    assert await redeemed(shop) == sum(
        len(model.taken[key][1]) for key, state in model.states.items() if state in _STANDING and key in model.taken
    )
    assert min(answers[state] for state in ("RESERVED", "CONFIRMED", "RELEASED", "VOIDED", "UNSPECIFIED")) > 0, answers
