"""Read by each Python of a gateway under test before anything else.

Loading LiteLLM makes millions of objects that stay; looking through them for garbage is a quarter of the start's CPU time.
"""

import gc

gc.set_threshold(100_000, 50, 100)
