"""Who may use which cost center."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CostCenterAssignment:
    """Lets a user or a group use a cost center; neither of them means every user of its buyer."""

    cost_center_id: str
    user_id: str = ""
    group_id: str = ""
