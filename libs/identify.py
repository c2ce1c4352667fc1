"""Texts that identify something to people, as they are compared everywhere: user names, regions, tax classes, addresses."""

from __future__ import annotations

from unicodedata import category, normalize


def folded(text: str) -> str:
    """A text as it is compared: Unicode form NFKC without case, without invisible format characters and blanks around it.

    The same word typed on two machines may differ in its code points (é in one, or e and an accent); it is one word
    here. Ids are not texts: their alphabet leaves no two ways to write one, and they are compared as they stand.
    """
    if text.isascii():
        return text.casefold().strip()
    # Folding may undo the normal form, so it is taken before and after.
    plain = normalize("NFKC", normalize("NFKC", text).casefold())
    return "".join(c for c in plain if category(c) != "Cf").strip()
