"""The canary sweep: requests full of planted values, and the search for them in everything that was written."""

from tests.privacy_sweep.bodies import ENDPOINTS, Planted, Planter, Shot
from tests.privacy_sweep.needles import Find, Needles

__all__ = ["ENDPOINTS", "Find", "Needles", "Planted", "Planter", "Shot"]
