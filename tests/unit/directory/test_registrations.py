"""What is an e-mail address, as far as its form says."""

from __future__ import annotations

import pytest

from services.directory.domain.people.registrations import plausible


@pytest.mark.parametrize("email", ["a@example.com", "a.b+c@mail.example.co.uk", "ä@exämple.de", "x@1.2"])
def test_mail_can_go_to(email: str) -> None:
    assert plausible(email)


@pytest.mark.parametrize(
    "email",
    [
        *("", "a", "@", "a@", "@b.c", "a@b", "a@b.", "a@.b", "a@b..c", "a@b@c.d", "a b@c.d", "a@b.c\n", "a@b.c d", "<a@b.c>"),
        *("a@b.c,d@e.f", "a;b@c.d", '"a"@b.c', "a@[1.2]"),
    ],
)
def test_no_mail_can_go_to(email: str) -> None:
    assert not plausible(email)
