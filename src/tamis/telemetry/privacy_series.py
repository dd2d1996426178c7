"""The series about withdrawals and privacy requests."""

from functools import partial

from tamis.consent_sources.privacy import TYPES
from tamis.domain.consent.retraction import RetractionReason
from tamis.telemetry.series import Definitions, Label, Series

REFUSED = "refused"
_defined = Definitions()
_series = partial(_defined.define, "Withdrawal")

WITHDRAWAL_SECONDS = _series(
    "histogram",
    "withdrawal_enforcement_seconds",
    "From the receipt of a refusal, restriction or erasure until it is in this host's replica: "
    "no batch begun after that lets anything of the person out.",
)
PRIVACY_REQUESTS = _series(
    "counter",
    "privacy_requests_total",
    "Requests of `privacy.requests`, by type; `refused`: quarantined, and a duty not done yet.",
    Label(name="type", values=(*TYPES, REFUSED), of="types of requests", preset=True),
)
RETRACTIONS = _series(
    "counter",
    "retractions_total",
    "Records written to `crm.retractions`.",
    Label(name="reason", values=tuple(RetractionReason), of="reasons of retractions"),
)
ERASURES = _series("counter", "erasures_total", "Subject records whose salt and history were destroyed on request.")

PRIVACY_SERIES: tuple[Series, ...] = tuple(_defined.made)
