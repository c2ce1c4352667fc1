"""Makes expressions up: by the grammar, by changing good ones, and from a list of bad ideas."""

from __future__ import annotations

import random
from collections.abc import Callable

GOOD = (
    "order.subtotal >= money('100')",
    "order.currency == 'USD' && order.subtotal - order.shipping_cost > money('12.50')",
    "total(order.items.filter(i, i.supplier_id == 'acme')) > money('100')",
    "quantity(order.items.filter(i, i.product_id in ['anvil', 'lamp'])) >= 3",
    "order.items.exists(i, i.product.xp.color == 'red')",
    "order.items.all(i, has(i.xp.gift) && i.xp.gift == true)",
    "order.items.exists_one(i, i.category_ids.size() > 2)",
    "'gold' in order.user_group_ids ? percent(order.subtotal, '10') : money('0')",
    "min(order.subtotal, money('50')) / 2 * 3 - -1",
    "max(1, 2, order.items.size()) % 7",
    "now - duration('720h') < order.create_time",
    "order.create_time.getDayOfWeek() in [0, 6]",
    "order.xp.tags.exists(t, t.startsWith('a') || t.endsWith('z') || t.contains('b'))",
    "order.labels['a'] == 'b' || 'c' in order.labels || order.labels.d != 'e'",
    "round(percent(order.subtotal, '33.333333'), money('0.05'))",
    "approved('budget') && !order.guest",
    "order.xp.deep.deep.n < 3 || order.any == null",
)
_BODY = "&&".join(f"i.quantity!={n}" for n in range(26))
NASTY = (
    "order.items.all(a, (order.items+order.items) == (order.items+order.items))",
    "order.items.map(a, 'x')",
    f"order.items.all(i,{_BODY})"[:400],
    "order.items.all(i," + "+".join(["i.quantity"] * 33) + ">0)",
    "order.items.exists(i," + "||".join(["i.xp.s.contains('ab')"] * 16) + ")",
    "order.items.exists(i," + "||".join(["i.xp.text=='b'"] * 22) + ")",
    "order.items.all(i," + "&&".join(["!(7 in i.xp.list)"] * 18) + ")",
    "order.items.all(i," + "&&".join(["'z' in i.category_ids==false"] * 12) + ")",
    "order.items.exists(i, i.xp.text.contains('" + "a" * 300 + "b'))",
    "order.items.exists(i, order.xp.text.contains(i.xp.needle))",
    "order.items.exists(i, i" + ".xp" + ".d" * 180 + "==1)",
    "order.items.exists(i, i.xp.d.d.d.d.d.d.d.d.d.d==1)",
    "order.items.filter(i, i.quantity>0).filter(i, i.subtotal>0).filter(i, i.unit_price>0).size()>1",
    "total(order.items)+" * 20 + "1>0",
    "order.items.exists(i,order.items.exists(j,i.id==j.id))",
    "order.items.exists(i,total(order.items)>0)",
    "order.items.all(i," + "&&".join(["i.xp.list==i.xp.list"] * 17) + ")",
    "order.items.all(i, i.xp.list.size()>0)",
    "order.items.all(i, size(i.xp)>0&&size(i.specs)==0)",
    "order.items.all(i," + "||".join(["i.xp.no==1"] * 36) + ")",
    "order.items.all(i," + "||".join(["1/(i.quantity-i.quantity)==1"] * 12) + ")",
    "(" * 200 + "1" + ")" * 199,
    "!" * 399 + "true",
    "-" * 399 + "1",
    "1" + "+1" * 199 + "==1",
    "a" + ".a" * 199,
    "[" * 400,
    "true?" * 60 + "true" + ":true" * 18,
    "9" * 400,
    "0x" + "f" * 398,
    "'" + "\\" * 399,
    "'" + "\\U0010FFFF" * 39 + "'",
    "'\\ud800'=='a'",
    "percent(9223372036854775807,'9999.999999')>0",
    "-9223372036854775808/-1==0",
    "-9223372036854775808%-1==0",
    "timestamp('0001-01-01T00:00:00Z')-duration('1h')<now",
    "duration('999999999h999999999h')<duration('1s')",
    "timestamp('9999-12-31T23:59:59.999999999+23:59').getHours()==1",
    "timestamp('0001-01-01T00:00:00+23:59').getHours()==1",
    "money('999999999999.999999')*9223372036854775807>0",
    "money('١٢')>0",
    "order.xp['\U0001f600']==1",
    "order.xp[0]==1",
    "order.xp.list[9223372036854775807]==1",
    "order.xp.list[-1]==1",
    "order.items[0].xp.list[3]==order.xp.n",
    "order.xp==order.xp",
    "order.any.a.b.c==null",
    "order.weight>1",
    "has(order)",
    "has(order.items[0].xp.no)",
    "order.__class__==1",
    "order.xp.__class__=='a'",
    "order.items.exists(order, true)",
    "order.items.exists(__builtins__, true)",
    "order.SerializeToString()",
    "order.DESCRIPTOR==1",
    "\x00",
    "\u202e",
    "order\u2028.subtotal>1",
)
_WORDS = (
    *(
        "order",
        "now",
        "item",
        "i",
        "xp",
        "items",
        "subtotal",
        "quantity",
        "id",
        "money",
        "percent",
        "min",
        "total",
        "has",
        "size",
    ),
    *(
        "true",
        "false",
        "null",
        "in",
        "'a'",
        "'12.5'",
        "''",
        "0",
        "1",
        "-1",
        "9223372036854775807",
        "1.5",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
    ),
    *(
        ".",
        ",",
        "?",
        ":",
        "&&",
        "||",
        "!",
        "==",
        "!=",
        "<",
        ">=",
        "+",
        "-",
        "*",
        "/",
        "%",
        "exists",
        "all",
        "filter",
        "map",
        "\\",
        "'",
    ),
)


class Grammar:
    """Expressions of a seed."""

    def __init__(self, random: random.Random) -> None:
        self._random = random
        self._element = ""

    def any(self) -> str:
        """Some expression; most are right, many are nearly so."""
        way = self._random.random()
        if way < 0.6:
            return (
                self.condition(self._random.randint(1, 4))
                if self._random.random() < 0.7
                else self.number(self._random.randint(1, 4))
            )
        if way < 0.9:
            return self.changed(self._random.choice(GOOD + NASTY))
        return " ".join(self._random.choice(_WORDS) for _ in range(self._random.randint(1, 30)))

    def changed(self, text: str) -> str:
        """An expression with some words put in, taken out or put together with another."""
        for _ in range(self._random.randint(0, 4)):
            at = self._random.randint(0, len(text))
            what = self._random.randint(0, 3)
            if what == 0:
                text = text[:at] + self._random.choice(_WORDS) + text[at:]
            elif what == 1:
                text = text[:at] + text[at + self._random.randint(1, 8) :]
            elif what == 2:
                text = f"({text}) {self._random.choice(('&&', '||', '+', '==', '<'))} ({self._random.choice(GOOD)})"
            else:
                text = text[:at] + text[at:][:30] * self._random.randint(1, 5) + text[at:]
        return text[: self._random.choice((400, 400, 400, 500))]

    def _one(self, ways: list[Callable[[], str]]) -> str:
        return self._random.choice(ways)()

    def condition(self, depth: int) -> str:
        """A condition."""
        pick = self._random.choice
        flat: list[Callable[[], str]] = [
            lambda: f"{self.number(depth - 1)} {pick(('==', '!=', '<', '<=', '>', '>='))} {self.number(depth - 1)}",
            lambda: f"{self.text()} {pick(('==', '!=', '<'))} {self.text()}",
            lambda: f"{self.text()}.{pick(('startsWith', 'endsWith', 'contains'))}({self.text()})",
            lambda: (
                f"{self.text()} in {pick(('order.user_group_ids', 'order.xp.tags', 'order.labels', 'order.xp', str(['a', 'b'])))}"
            ),
            lambda: f"{self.xp()} {pick(('==', '!=', '<', '>='))} {pick((self.number(0), self.text(), self.xp(), 'true'))}",
            lambda: f"has({self.xp()})",
            lambda: f"{self.time()} {pick(('<', '>=', '=='))} {self.time()}",
            lambda: pick(("order.guest", "true", "false", "approved('budget')")),
        ]
        if depth <= 0:
            return self._one(flat)
        deep: list[Callable[[], str]] = [
            *flat,
            lambda: f"({self.condition(depth - 1)} {pick(('&&', '||'))} {self.condition(depth - 1)})",
            lambda: f"!({self.condition(depth - 1)})",
            lambda: f"({self.condition(depth - 1)} ? {self.condition(depth - 1)} : {self.condition(depth - 1)})",
            lambda: self.walk(pick(("exists", "all", "exists_one")), depth),
        ]
        return self._one(deep)

    def walk(self, name: str, depth: int) -> str:
        """A list gone through."""
        source, before = (
            self._random.choice(("order.items", "order.items", "order.xp.tags", "order.user_group_ids")),
            self._element,
        )
        self._element = "i" if source == "order.items" else ""
        body = self.condition(depth - 1)
        self._element = before
        return f"{source}.{name}(i, {body})"

    def number(self, depth: int) -> str:
        """A number."""
        pick = self._random.choice
        flat = [*("0", "1", "-7", "3", "9223372036854775807", "-9223372036854775808", "money('12.5')", "order.subtotal")]
        flat += ["order.shipping_cost", "order.items.size()"]
        if self._element:
            flat += ["i.quantity", "i.unit_price", "i.subtotal"] * 2
        if depth <= 0:
            return pick(flat)
        deep: list[Callable[[], str]] = [
            lambda: pick(flat),
            lambda: f"({self.number(depth - 1)} {pick('+-*/%')} {self.number(depth - 1)})",
            lambda: f"-({self.number(depth - 1)})",
            lambda: f"{pick(('min', 'max'))}({self.number(depth - 1)}, {self.number(depth - 1)})",
            lambda: f"percent({self.number(depth - 1)}, '{pick(('10', '12.5', '0.000001', '9999'))}')",
            lambda: f"({self.condition(depth - 1)} ? {self.number(depth - 1)} : {self.number(depth - 1)})",
            lambda: f"{pick(('total', 'quantity'))}({pick(('order.items', self.walk('filter', depth)))})",
            lambda: f"size({self.text()})",
        ]
        return self._one(deep)

    def text(self) -> str:
        """A text."""
        texts = [
            "'a'",
            "'acme'",
            "''",
            "'é\\n'",
            "order.id",
            "order.currency",
            "order.user.email",
            "order.labels.a",
            "order.xp.s",
        ]
        return self._random.choice(
            [*texts, *(["i.supplier_id", "i.product.name", "i.specs['a']", "i.xp.s"] * 2 if self._element else [])]
        )

    def xp(self) -> str:
        """A value of no fixed type."""
        root = "i" if self._element and self._random.random() < 0.6 else "order"
        return f"{root}.xp.{self._random.choice(('s', 'n', 'b', 'tags', 'no', 'deep.n', 'deep', 'deep.no.n', 'z'))}"

    def time(self) -> str:
        """A time."""
        ways = (
            "now",
            "order.create_time",
            "timestamp('2026-06-15T00:00:00Z')",
            "now + duration('1h')",
            "order.create_time - duration('9h')",
        )
        return self._random.choice(ways)
