"""The simulated exchange: an engine of the port ``broker`` that lives in this process."""

from goldenthread.adapters.broker.simulated.exchange import SimulatedBroker
from goldenthread.adapters.broker.simulated.settings import BarSource, SimulatedSettings

__all__ = ["BarSource", "SimulatedBroker", "SimulatedSettings"]
