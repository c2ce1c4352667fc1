from services.shipping.domain.methods import Scope
from services.shipping.domain.selection import Selection, unavailable

GROUND = Selection("e1", "ground", "ajax", "dock")


def off(selection: Selection, **usable: list[Scope]) -> bool:
    return unavailable([selection], usable) == [selection]


def test_a_method_that_is_not_among_the_usable_ones_is_off() -> None:
    assert off(GROUND)
    assert off(GROUND, air=[Scope()])
    assert not off(GROUND, ground=[Scope()])


def test_a_method_is_usable_where_any_of_its_scopes_covers_what_ships() -> None:
    assert off(GROUND, ground=[Scope("globex"), Scope("ajax", "yard")])
    assert not off(GROUND, ground=[Scope("globex"), Scope("ajax", "dock")])
    assert off(Selection("e2", "ground"), ground=[Scope("ajax")])
