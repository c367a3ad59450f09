"""One day of an account beside the same day of its model, by cause, in one line."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.reports.divergence.causes import divide
from goldenthread.reports.divergence.course import Cause, Course, Taken
from goldenthread.reports.notation import number, signed_percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SHOWS = Decimal("0.00005")
"""Half of the last digit of the line, as a fraction of equity."""


class Change(NamedTuple):
    """The equity of a book at the end of the day before, and at the end of the day."""

    name: str
    before: Decimal
    after: Decimal

    @property
    def made(self) -> Decimal:
        """The day's return, as a fraction of the equity before."""
        return self.after / self.before - 1


class Standing(NamedTuple):
    """One signal in the model and in the account, as each stood at the end of one day."""

    model: Taken
    account: Taken


def day_causes(
    before: Iterable[Standing], after: Iterable[Standing], ratio: Decimal
) -> dict[Cause, Decimal]:
    """What each cause added to the day of the account over its model, in the account's money.

    ``before`` and ``after`` are all signals that live on the day or ended on it. What causes made
    of them up to a day is divided as if everything were left at its close, so the day's part is
    the difference of two days. ``ratio`` is the account's equity over the model's: the model's
    money is scaled to it, because returns are compared, and accounts drift apart.
    """
    total = dict.fromkeys(Cause, Decimal(0))
    for day, sign in ((before, -1), (after, 1)):
        for model, account in day:
            scaled = model.scaled(ratio) if isinstance(model, Course) else model
            for cause, amount in divide(scaled, account).items():
                total[cause] += sign * amount
    return {cause: amount for cause, amount in total.items() if amount}


def day_line(account: Change, model: Change, causes: Mapping[Cause, Decimal]) -> str:
    """The day in one line: both returns, then what each cause took or added in percent points.

    The largest come first; what is below half of the last digit is left out, and whatever the
    shown ones do not explain is ``other``: fees of other days, interest, money paid in or out.
    """
    shares = {str(cause): amount / account.before for cause, amount in causes.items()}
    shown = {name: share for name, share in shares.items() if abs(share) >= _SHOWS}
    rest = account.made - model.made - sum(shown.values(), Decimal(0))
    if abs(rest) >= _SHOWS:
        shown["other"] = rest
    ranked = sorted(shown.items(), key=lambda part: -abs(part[1]))
    told = ", ".join(f"{name} {_points(share)}" for name, share in ranked)
    returns = f"{account.name} {_percent(account)}, {model.name} {_percent(model)}"
    return f"{returns}: {told or 'equal'}"


def _percent(change: Change) -> str:
    return signed_percent(change.made, 2)


def _points(share: Decimal) -> str:
    text = number(share * 100, 2)
    return text if share < 0 else f"+{text}"
