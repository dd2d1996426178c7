"""C2SP signed notes: text that one or more keys signed, and the keys as text (c2sp.org/signed-note).

Rules: the text ends with a line break and holds no control character but that; signature lines follow its last empty
line; a key's id is bound to its name, kind and public key, so a signature made under one name counts under no other;
signatures of unknown keys are ignored, one of a known key that does not verify refuses the whole note, and a note that
no known key signed is refused.
Kinds: Ed25519 (0x01) and cosignature/v1 (0x04, message in ``cosignature``); others count as unknown keys.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_ID_BYTES = 4
PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64
MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100

_EM_DASH = "\u2014"
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
_HEX_ID = re.compile("[0-9a-f]{8}")


class NoteError(ValueError):
    """A note, key or signature that is not well formed or does not verify; the message says which."""


class KeyKind(IntEnum):
    """Signature type bytes that are understood."""

    ED25519 = 1
    COSIGNATURE_V1 = 4


def is_key_name(name: str) -> bool:
    """Whether ``name`` may name a key: not empty, no white space, no plus, no control character."""
    return bool(name) and "+" not in name and not _CONTROL.search(name) and not any(map(str.isspace, name))


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """The four bytes that stand for a key in its signatures."""
    return sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:KEY_ID_BYTES]


class VerifierKey(msgspec.Struct, frozen=True):
    """A public key under a name.

    Attributes:
        name: of the key; for a log its origin.
        kind: how it signs.
        public: 32 bytes, RFC 8032.
    """

    name: str
    kind: KeyKind
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes in front of its signatures."""
        return key_id(self.name, self.kind, self.public)

    def renamed(self, name: str) -> "VerifierKey":
        """The same key as it signs under another name: one key pair may serve several logs."""
        return VerifierKey(name, self.kind, self.public)

    def __str__(self) -> str:
        """The vkey: ``<name>+<id in hex>+<base64 of kind and key>``."""
        return f"{self.name}+{self.id.hex()}+{b64encode(bytes([self.kind]) + self.public).decode()}"


def parse_vkey(text: str) -> VerifierKey:
    """A vkey.

    Raises:
        NoteError: it is malformed, of an unknown kind, or its id is not that of its name and key.
    """
    name, _, rest = text.strip().partition("+")
    hex_id, _, encoded = rest.partition("+")
    raw = _base64(encoded, "vkey")
    if not is_key_name(name) or not _HEX_ID.fullmatch(hex_id) or len(raw) != 1 + PUBLIC_KEY_BYTES:
        raise NoteError("not a vkey: <name>+<8 hex digits>+<base64 of an Ed25519 key>")
    if raw[0] not in KeyKind.__members__.values():
        raise NoteError(f"vkey {name}: key kind {raw[0]} is not known")
    key = VerifierKey(name, KeyKind(raw[0]), raw[1:])
    if key.id.hex() != hex_id:
        raise NoteError(f"vkey {name}: the id {hex_id} is not that of this name and key")
    return key


class Signature(msgspec.Struct, frozen=True):
    """One signature line.

    Attributes:
        name: of the key.
        key_id: four bytes.
        blob: what follows them; its form is up to the key's kind.
    """

    name: str
    key_id: bytes
    blob: bytes

    def __str__(self) -> str:
        """The line, with its line break."""
        return f"{_EM_DASH} {self.name} {b64encode(self.key_id + self.blob).decode()}\n"


class Note(msgspec.Struct, frozen=True):
    """A text and its signatures.

    Attributes:
        text: ends with a line break.
        signatures: in the order of their lines.
    """

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"

    def encode(self) -> bytes:
        """The note as it is stored and sent."""
        return str(self).encode()

    def with_signatures(self, more: Iterable[Signature]) -> "Note":
        """The same text with more signatures; those it already has are not added twice."""
        return Note(self.text, tuple(dict.fromkeys((*self.signatures, *more))))


def parse_note(value: bytes | str) -> Note:
    """A note, nothing verified.

    Raises:
        NoteError: it is not one.
    """
    text = _checked(value)
    end = text.rfind("\n\n")
    if end < 0 or not text.endswith("\n") or end + 2 == len(text):
        raise NoteError("not a signed note: no text followed by an empty line and signatures")
    lines = text[end + 2 : -1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError(f"a note with more than {MAX_SIGNATURES} signatures")
    return Note(text[: end + 1], tuple(parse_signature(line) for line in lines))


def parse_signature(line: str) -> Signature:
    """One signature line, without its line break.

    Raises:
        NoteError: it is not one.
    """
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    raw = _base64(encoded, "signature")
    if dash != _EM_DASH or not is_key_name(name) or len(raw) <= KEY_ID_BYTES:
        raise NoteError("not a signature line of a note")
    return Signature(name, raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:])


Verify = Callable[[VerifierKey, str, bytes], bool]
"""Whether a blob is the key's signature of a text."""


def verify_ed25519(key: VerifierKey, text: str, blob: bytes) -> bool:
    """A plain signature over the text."""
    return len(blob) == SIGNATURE_BYTES and ed25519_holds(key.public, blob, text.encode())


def ed25519_holds(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether ``signature`` is that of ``public`` over ``message`` (RFC 8032)."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def signed_by(note: Note, keys: Iterable[VerifierKey], verify: Mapping[KeyKind, Verify]) -> tuple[VerifierKey, ...]:
    """The keys whose signatures the note carries.

    Args:
        note: as parsed.
        keys: trusted ones.
        verify: how to check each kind; keys of other kinds count as unknown.

    Raises:
        NoteError: a signature of one of the keys does not verify.
    """
    known = {(key.name, key.id): key for key in keys if key.kind in verify}
    found: dict[VerifierKey, None] = {}
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None or key in found:
            continue
        if not verify[key.kind](key, note.text, signature.blob):
            raise NoteError(f"the signature of {key.name} ({key.id.hex()}) does not verify")
        found[key] = None
    return tuple(found)


def require_signed(note: Note, keys: Iterable[VerifierKey]) -> tuple[VerifierKey, ...]:
    """The keys whose plain Ed25519 signatures the note carries, at least one.

    Raises:
        NoteError: none of them signed it, or a signature of one does not verify.
    """
    found = signed_by(note, keys, {KeyKind.ED25519: verify_ed25519})
    if not found:
        raise NoteError("no signature of a known key")
    return found


class NoteSigner:
    """Signs notes with an Ed25519 key under a name.

    Args:
        name: of the key; for a log its origin.
        key: its private half.

    Raises:
        NoteError: the name cannot be one.
    """

    __slots__ = ("_key", "vkey")

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        if not is_key_name(name):
            raise NoteError("not a key name: empty, with white space or a plus")
        self._key = key
        self.vkey = VerifierKey(name, KeyKind.ED25519, key.public_key().public_bytes_raw())

    def sign(self, text: str) -> Signature:
        """The signature of a note's text."""
        return Signature(self.vkey.name, self.vkey.id, self._key.sign(_text(text).encode()))


def _text(text: str) -> str:
    if not text.endswith("\n"):
        raise NoteError("the text of a note ends with a line break")
    return _checked(text)


def _checked(value: bytes | str) -> str:
    if len(value) > MAX_NOTE_BYTES:
        raise NoteError(f"a note of more than {MAX_NOTE_BYTES} bytes")
    try:
        text = value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        raise NoteError("a note that is not UTF-8") from None
    if _CONTROL.search(text):
        raise NoteError("a note with a control character")
    return text


def _base64(text: str, what: str) -> bytes:
    try:
        raw = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        raise NoteError(f"the {what} is not base64") from None
    if b64encode(raw).decode() != text:
        raise NoteError(f"the {what} is not canonical base64")
    return raw
