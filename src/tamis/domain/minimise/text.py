"""Bounds of text that may leave. Rules: at most ``MAX_TEXT_CHARS`` characters; text without a UTF-8 form is no text."""

MAX_TEXT_CHARS = 1_024


def bounded(text: str) -> str | None:
    """The text within its bound; None when nothing is left or it cannot be written as UTF-8."""
    cut = text[:MAX_TEXT_CHARS]
    if not cut.isascii():
        try:
            cut.encode()
        except UnicodeEncodeError:
            return None
    return cut or None
