"""``cells``: what ships. Trained from scratch on every licence-clear cell data set.

The constants are the defaults of ``Recipe`` and ``SampleSettings``, each beside its
meaning; ``--set`` changes any of them for one run. A run may go on with other ones
(``--resume``): cheap small windows first, then larger ones.
"""

from __future__ import annotations

from training.recipe import Recipe

RECIPE = Recipe()
