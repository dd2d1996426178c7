"""Asks timestamp authorities over HTTP (RFC 3161, section 3.4) and believes an answer only when it verifies.

Rules: authorities are asked in order until one answers with a timestamp of this text that leads to a trusted
certificate and repeats the nonce; what fails is said for each, without its address.
"""

from collections.abc import Sequence
from http import HTTPStatus

from cryptography.x509 import Certificate

from tamis.domain.audit.timestamp import REQUEST_TYPE, TimestampError, stamp_request, stamped_at
from tamis.services.http_post import HttpError, Poster

MAX_ANSWER_BYTES = 1 << 20


class StampError(Exception):
    """No authority gave a timestamp; the message says why, authority by authority."""


class Stamper:
    """Some authorities.

    Args:
        urls: in order of preference.
        trusted: certificates their own must lead to.
        timeout_s: for each wait.
    """

    def __init__(self, urls: Sequence[str], trusted: Sequence[Certificate], timeout_s: float) -> None:
        self._posters = [Poster(url, timeout_s, MAX_ANSWER_BYTES) for url in urls]
        self._trusted = tuple(trusted)

    def stamp(self, text: bytes) -> bytes:
        """DER of a response over ``text`` that verified.

        Raises:
            StampError: none was to be had.
        """
        faults = []
        for number, poster in enumerate(self._posters, 1):
            try:
                return self._ask(poster, text)
            except (HttpError, TimestampError) as error:
                faults.append(f"authority {number}: {error}")
            finally:
                poster.close()  # the next question comes in minutes
        raise StampError("; ".join(faults))

    def _ask(self, poster: Poster, text: bytes) -> bytes:
        request = stamp_request(text)
        reply = poster.post(request.body, REQUEST_TYPE)
        if reply.status != HTTPStatus.OK:
            raise HttpError(f"status {reply.status}")
        stamped_at(reply.body, text, self._trusted, request.nonce)
        return reply.body
