"""How often the unusual happens, as chances.

Rules: the live traffic and the history that warms the detectors use the same numbers, so neither surprises the other.
"""

# Per visit.
NEW_VISITOR = 0.1  # seen for the first time: the banner is answered during the visit
NOBODY = 0.008  # a page with a broken tag: ids that name nobody
CHANGES_MIND = 0.03  # returning visitors who open the consent settings

# Per event.
TWICE = 0.015  # the same bytes arrive again
LATE = 0.008  # sent minutes later, from a device that was offline
BROKEN = 0.012  # a broken body beside it
CAPTURED = 0.004  # a body captured from a real SDK beside it
FROM_SERVER = 0.3  # of new accounts: reported by the server, in one batch
