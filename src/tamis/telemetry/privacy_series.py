"""The series about withdrawals and privacy requests."""

from tamis.consent_sources.privacy import TYPES
from tamis.domain.consent.retraction import RetractionReason
from tamis.telemetry.series import SECONDS, Kind, Label, Series

REFUSED = "refused"
_defined: list[Series] = []


def _series(kind: Kind, name: str, text: str, *labels: Label) -> Series:
    buckets = SECONDS if kind == "histogram" else ()
    made = Series(name=f"tamis_{name}", kind=kind, area="Withdrawal", help=text, labels=labels, buckets=buckets)
    _defined.append(made)
    return made


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

PRIVACY_SERIES: tuple[Series, ...] = tuple(_defined)
