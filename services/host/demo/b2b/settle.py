"""How the trade story ends: what is given up, what goes back, what the supplier is paid, and the books."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from services.host.demo.b2b import terms
from services.host.demo.b2b.build import HANNA, ORDER, SPARE_ORDER, pay, payments, priced
from services.host.demo.b2b.figures import Figures
from services.host.demo.b2b.setup import ACCOUNT
from services.host.demo.b2b.ship import Course, captures, give_up, name_of, parts, reported, ship, status_of, until
from services.host.demo.b2b.terms import CURRENCY, FORGE, KNIFE, POINTS, QUANTITIES, STONE
from services.host.demo.narrator import Narrator
from services.host.demo.stage import Stage
from waybill.fulfillment.v1 import supplier_order_service_pb2 as so
from waybill.order.v1 import line_item_pb2, order_pb2, order_service_pb2
from waybill.payment.v1 import ledger_service_pb2
from waybill.payment.v1 import spending_account_service_pb2 as accounts_pb
from waybill_client import AsyncWaybill, money, text
from waybill_client.money import decimal

PLAIN = "short-oak"
RECEIPTS = "marketplace:receipts"


async def give_the_rest_up(stage: Stage, hanna: AsyncWaybill, course: Course, narrator: Narrator, figures: Figures) -> str:
    """What has not left is canceled: the card is charged what has left, and the rest of it is let go. The status of the order."""
    order = await give_up(stage.people.sam, ORDER)
    left = {
        product: quantity - course.gone[product] for product, quantity in QUANTITIES.items() if quantity > course.gone[product]
    }
    narrator.line("seller sam", "cancels what is open: " + ", ".join(f"{units} x {product}" for product, units in left.items()))
    worth = terms.due(course.gone)
    _points, card = await until(lambda: payments(hanna, ORDER), lambda now: decimal(now[1].due_amount) == terms.charged(worth))
    back = figures.same("given back", order.canceled.total, terms.total() - worth)
    sold = figures.same("sold", order.total, terms.total())
    narrator.line("waybill order", f"sold {sold}, has shipped {text(money(worth, CURRENCY))}, given back {back}")
    charged = figures.same("charged in the end", card.captured_amount, terms.charged(worth))
    released = figures.same(
        "let go", money(decimal(card.resolved_amount) - decimal(card.due_amount), CURRENCY), terms.total() - worth
    )
    narrator.line("waybill payment", f"the card stays charged {charged}; {released} of what was authorized is let go")
    figures.same("refunded", card.refunded_amount, Decimal(0))
    return order_pb2.OrderStatus.Name(order.status).removeprefix("ORDER_STATUS_")


async def points_come_back(stage: Stage, hanna: AsyncWaybill, narrator: Narrator, figures: Figures) -> None:
    """An order of which less leaves than points have paid: the card is let go, and the points that are too many go back."""
    line, clerk = terms.spare(), stage.people.clerks[FORGE]
    cart = order_service_pb2.CreateOrderRequest(
        order=order_pb2.Order(id=SPARE_ORDER),
        line_items=[line_item_pb2.LineItem(id=KNIFE, product_id=KNIFE, variant_id=PLAIN, quantity=line.quantity)],
        request_id="demo-spares",
    )
    await hanna.orders.CreateOrder(cart)
    sheet = await priced(hanna, SPARE_ORDER)
    narrator.line(HANNA, f"orders {line.quantity} plain knives: {figures.same('second total', sheet.order.total, line.total)}")
    await pay(hanna, SPARE_ORDER, terms.SPARES_BY_POINTS, narrator, figures)
    mine = (await parts(stage.people.sam, SPARE_ORDER))[FORGE]
    await clerk.supplier_orders.AcceptSupplierOrder(so.AcceptSupplierOrderRequest(supplier_order_id=mine.id))
    await ship(clerk, mine.id, {KNIFE: 1}, f"{SPARE_ORDER}-parcel-1")
    await reported(hanna, SPARE_ORDER, {KNIFE: 1}, figures)
    await give_up(stage.people.sam, SPARE_ORDER)
    narrator.line("seller sam", "cancels the one that has not left")
    worth = line.shipped(1)
    points, card = await until(lambda: payments(hanna, SPARE_ORDER), lambda now: decimal(now[0].due_amount) == worth)
    returned = terms.SPARES_BY_POINTS - worth
    back = figures.same("points back", points.refunded_units, returned / terms.POINT, POINTS)
    money_back = figures.same("points back, in money", points.refunded_amount, returned)
    narrator.line(
        "waybill payment", f"{text(money(worth, CURRENCY))} has shipped: {back} go back to the account, worth {money_back}"
    )
    charged = figures.same("second card", card.captured_amount, Decimal(0))
    narrator.line(
        "waybill payment",
        f"the card is charged {charged}, and {figures.same('second card due', card.due_amount, Decimal(0))} is due",
    )


async def who_earns(stage: Stage, course: Course, narrator: Narrator, figures: Figures) -> None:
    """What Northforge is paid, as the seller and as Northforge see it."""
    sold, gone = terms.sold(), course.gone
    costs = {KNIFE: terms.KNIFE_COST, STONE: terms.STONE_COST}
    cost = sum((terms.rounded(each * QUANTITIES[p]) for p, each in costs.items()), Decimal(0))
    payable = sum(
        (terms.first(terms.rounded(each * QUANTITIES[p]), gone[p], QUANTITIES[p]) for p, each in costs.items()), Decimal(0)
    )
    commission = sum((sold[product].net(gone[product]) for product in costs), Decimal(0)) - payable
    seen = (await parts(stage.people.sam, ORDER))[FORGE]
    (theirs,) = (
        await stage.people.clerks[FORGE].supplier_orders.ListSupplierOrders(
            so.ListSupplierOrdersRequest(filter=f'order_id = "{ORDER}"')
        )
    ).supplier_orders
    narrator.table(
        ("of Northforge's part", "the seller sees", "Northforge sees"),
        [
            (
                "what the buyer pays",
                figures.same("Northforge sold", seen.total, sold[KNIFE].total + sold[STONE].total),
                _seen(theirs, "total"),
            ),
            ("cost of what was ordered", figures.same("cost", seen.cost, cost), figures.same("its cost", theirs.cost, cost)),
            (
                "payable for what left",
                figures.same("payable", seen.payable, payable),
                figures.same("its payable", theirs.payable, payable),
            ),
            ("commission", figures.same("commission", seen.commission, commission), _seen(theirs, "commission")),
        ],
        right=(1, 2),
    )
    figures.holds("of total and commission Northforge sees", f"{_seen(theirs, 'total')} {_seen(theirs, 'commission')}", "- -")


def _seen(order: Any, name: str) -> str:
    return text(getattr(order, name)) if order.HasField(name) else "-"


async def show_tree(stage: Stage, narrator: Narrator, figures: Figures) -> None:
    """The order with its supplier orders and parcels."""
    tree = await stage.people.sam.orders.GetOrderTree(order_service_pb2.GetOrderTreeRequest(order_id=ORDER))
    status = order_pb2.OrderStatus.Name(tree.order.status).removeprefix("ORDER_STATUS_")
    branches = [
        (
            f"{part.id}  {name_of(part.supplier_id)}  {text(part.total)}  [dim]{status_of(part)}, given back[/dim] "
            f"{text(part.canceled.total)}",
            [
                f"{parcel.id}  " + " ".join(f"{item.line_item_id} {item.quantity}" for item in mine)
                for parcel in tree.shipments
                if (mine := [item for item in parcel.items if item.supplier_order_id == part.id])
            ],
        )
        for part in tree.supplier_orders
    ]
    narrator.tree(f"[bold]{ORDER}[/bold] {status} {text(tree.order.total)}", branches)
    together = sum((decimal(part.total) for part in tree.supplier_orders), Decimal(0))
    shown = figures.same("supplier orders together", money(together, CURRENCY), terms.total())
    narrator.line("waybill", f"the supplier orders add up to {shown}")


async def books(stage: Stage, course: Course, narrator: Narrator, figures: Figures) -> list[dict[str, str]]:
    """The ledger, in money and in points: each adds up to nothing, and receipts to what has left."""
    orders = (ORDER, SPARE_ORDER)
    page = await stage.owner.ledger.ListLedgerEntries(ledger_service_pb2.ListLedgerEntriesRequest(page_size=1_000))
    entries = [
        e
        for e in page.entries
        if e.order_id in orders or e.account == f"spending_account:{ACCOUNT}" or e.amount.currency_code == POINTS
    ]
    narrator.table(
        ("account", "gains", "order", "for"),
        [(e.account, text(e.amount), e.order_id or "-", e.description) for e in entries],
        right=(1,),
    )
    sums: dict[tuple[str, str], Decimal] = {}
    for e in entries:
        key = (e.account, e.amount.currency_code)
        sums[key] = sums.get(key, Decimal(0)) + decimal(e.amount)
    for unit in (CURRENCY, POINTS):
        every = sum((amount for (_, of), amount in sums.items() if of == unit), Decimal(0))
        figures.same(f"all of {unit}", money(every, unit), Decimal(0), unit)
    by_card = [text(e.amount) for e in entries if e.payment_id == f"{ORDER}-card" and e.account == RECEIPTS]
    figures.holds("captures", ", ".join(by_card), ", ".join(text(money(amount, CURRENCY)) for amount in captures()))
    receipts = money(sums.get((RECEIPTS, CURRENCY), Decimal(0)), CURRENCY)
    shown = figures.same("receipts", receipts, terms.due(course.gone) + terms.spare().shipped(1))
    narrator.line("waybill payment", f"both units add up to nothing; receipts are {shown}: what has shipped of both orders")
    wanted = terms.OPENING_POINTS - (terms.BY_POINTS + terms.spare().shipped(1)) / terms.POINT
    entered = money(sums.get((f"spending_account:{ACCOUNT}", POINTS), Decimal(0)), POINTS)
    figures.same("points by the ledger", entered, wanted, POINTS)
    left = figures.same("points left", await _balance(stage.owner), wanted, POINTS)
    narrator.line("waybill payment", f"of {terms.OPENING_POINTS} points {left} are left")
    return _shown(entries)


def _shown(entries: Sequence[ledger_service_pb2.LedgerEntry]) -> list[dict[str, str]]:
    return [
        {
            "account": e.account,
            "amount": text(e.amount),
            "order": e.order_id,
            "payment": e.payment_id,
            "description": e.description,
        }
        for e in entries
    ]


async def _balance(owner: AsyncWaybill) -> Any:
    answer = await owner.spending_accounts.GetSpendingAccount(accounts_pb.GetSpendingAccountRequest(spending_account_id=ACCOUNT))
    return answer.spending_account.balance
