"""Text that came from somebody else, made safe for a terminal.

Rules: whatever is no printable character by Unicode (control characters, escape sequences, marks that turn the
direction of writing) becomes ``?``; line breaks stay only where the caller made them.
"""


def printable(text: str) -> str:
    """One line that shows what is there and steers nothing."""
    return "".join(character if character.isprintable() else "?" for character in text)
