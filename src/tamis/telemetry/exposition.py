"""What a process shows at its Prometheus endpoint, read back: for views of a running system.

Rules: one GET with a time limit, an answer of at most ``MOST_BYTES``, no redirect followed; only our own and the
process's series are kept; what is no exposition is a fault of whoever answers, told as ``NoAnswerError``.
"""

from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, RemoteDisconnected

from prometheus_client.parser import text_string_to_metric_families

MOST_BYTES = 16 << 20
_OK = 200
_KEPT = ("tamis_", "process_")

Sample = tuple[str, tuple[tuple[str, str], ...]]
"""Name and labels, sorted by label name."""


class NoAnswerError(Exception):
    """Nothing usable came back; the text says why."""


class Scrape:
    """The samples of one process at one moment.

    Attributes:
        samples: name and labels -> value.
    """

    __slots__ = ("samples",)

    def __init__(self, samples: dict[Sample, float]) -> None:
        self.samples = samples

    def of(self, name: str) -> Iterator[tuple[dict[str, str], float]]:
        """Labels and value of every sample of a series."""
        return ((dict(labels), value) for (found, labels), value in self.samples.items() if found == name)


def parse(text: str) -> Scrape:
    """The samples of an exposition.

    Raises:
        NoAnswerError: it is none.
    """
    try:
        return Scrape(
            {
                (sample.name, tuple(sorted(sample.labels.items()))): sample.value
                for family in text_string_to_metric_families(text)
                for sample in family.samples
                if sample.name.startswith(_KEPT)
            }
        )
    except (ValueError, IndexError, KeyError):
        raise NoAnswerError("the answer is no Prometheus exposition") from None


def scrape(host: str, port: int, timeout_s: float) -> Scrape:
    """Asks one endpoint.

    Raises:
        NoAnswerError: it refuses, is silent, or is something else.
    """
    connection = HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request("GET", "/metrics", headers={"Accept": "text/plain"})
        answer = connection.getresponse()
        if answer.status != _OK:
            raise NoAnswerError(f"it answers with status {answer.status}")
        body = answer.read(MOST_BYTES + 1)
    except RemoteDisconnected:
        raise NoAnswerError("it closes without an answer") from None
    except TimeoutError:
        raise NoAnswerError(f"silent for {timeout_s:g} s") from None
    except OSError as error:
        raise NoAnswerError((error.strerror or type(error).__name__).lower()) from None
    except HTTPException:
        raise NoAnswerError("it does not speak HTTP") from None
    finally:
        connection.close()
    if len(body) > MOST_BYTES:
        raise NoAnswerError(f"its answer is longer than {MOST_BYTES >> 20} MB")
    return parse(body.decode("utf-8", "replace"))
