"""Keys whose names say that their values are personal data, in the common SDKs and in the words people use.

Rules: a key is taken apart at case changes and separators; one telling word is enough, as is a whole key that is known.
For a lint: a value may be personal under any name, and a key with such a name may be harmless.
"""

import re
from collections.abc import Iterable, Sequence

_WORDS = frozenset(
    ("email", "emails", "mail", "phone", "phones", "tel", "telephone", "mobile", "msisdn", "fax", "address",
     "street", "zip", "postcode", "birthday", "birthdate", "dob", "username", "login", "password", "iban", "bic",
     "ssn", "passport", "firstname", "lastname", "fullname", "surname", "idfa", "idfv", "gaid", "aaid", "imei",
     "gclid", "fbclid", "msclkid", "latitude", "longitude", "geolocation", "signature", "useragent")
)  # fmt: skip
_KEYS = frozenset(
    ("e_mail", "first_name", "last_name", "full_name", "user_name", "given_name", "family_name", "maiden_name",
     "date_of_birth", "card", "card_number", "credit_card", "ip", "ip_addr", "user_agent", "user_id", "previous_id",
     "anonymous_id", "device_id", "client_id", "advertising_id", "visitor_id", "customer_id", "session_id", "lat",
     "lng", "lon", "national_id", "tax_id", "license_plate")
)  # fmt: skip
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


# Last keys whose values are as a rule typed by people.
_FREE = frozenset(
    ("query", "search", "search_term", "search_query", "keyword", "keywords", "message", "comment", "comments", "note",
     "notes", "feedback", "review", "review_text", "body", "free_text", "freetext", "text", "answer", "question",
     "description", "reason", "subject_line", "input", "content_text")
)  # fmt: skip


def looks_free(keys: Sequence[str]) -> bool:
    """Whether the value of a path looks like text that people type."""
    words = [part.lower() for part in _PARTS.findall(keys[-1])] if keys else []
    return "_".join(words) in _FREE


def looks_like_id(keys: Sequence[str]) -> bool:
    """Whether the value of a path looks like an id of somebody or something."""
    words = [part.lower() for part in _PARTS.findall(keys[-1])] if keys else []
    return bool(words) and words[-1] in ("id", "ids", "uid", "uuid", "number", "username", "login")


def looks_personal(keys: Iterable[str]) -> bool:
    """Whether any key of a path looks like personal data."""
    for key in keys:
        words = [part.lower() for part in _PARTS.findall(key)]
        if _WORDS & {*words, "".join(words)} or "_".join(words) in _KEYS:
            return True
    return False
