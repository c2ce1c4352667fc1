"""PlanSourcing: decides where every unit would come from. Stores nothing."""

from __future__ import annotations

from collections.abc import Sequence

from services.fulfillment.application.ports import StockPort, Transactions, Tx
from services.fulfillment.domain.sourcing.model import Line, Outcome, Stock, Strategy
from services.fulfillment.domain.sourcing.pipeline import source


async def stock_of(stock: StockPort, tx: Tx, lines: Sequence[Line], lock: bool) -> list[Stock]:
    """All stock that the lines could take: one statement, none when nothing is counted."""
    products = {line.product_id for line in lines if line.track_inventory}
    return await stock.of_products(tx, products, lock) if products else []


class PlanSourcing:
    """The use case."""

    def __init__(self, transactions: Transactions, stock: StockPort) -> None:
        self._transactions = transactions
        self._stock = stock

    async def __call__(self, strategy: Strategy, lines: Sequence[Line]) -> Outcome:
        """Assignments in the order of the lines, and all problems."""
        async with self._transactions.reading() as tx:
            stocks = await stock_of(self._stock, tx, lines, lock=False)
        return source(strategy, lines, stocks)
