"""The text in evidence that says, to somebody who knows nothing of logs, what it is and how to check it."""

from tamis.domain.audit.evidence import Evidence

_TEXT = """\
WHAT THIS IS

Evidence of {count} that tamis took about events it received: what was
decided, by which rule, on which consent. Each decision is one line of text in
leaves/. It was written into a log when it was taken, and the log is built so
that nothing in it can later be changed, removed, added or moved without that
showing.

    leaves/         the decisions, byte for byte as they were logged
    proofs/         for each: that it is in the log, under a signed state of
                    the log (format: c2sp.org/tlog-proof)
    anchors/        states of all logs, each with a timestamp by an independent
                    authority (format: RFC 3161)
    bundles/        the rules and the policy in force, under the name (hash)
                    by which the decisions cite them
    evidence.json   what belongs to what

Decisions in it:

{decisions}

WHAT YOU NEED BESIDE IT

These must reach you another way than this file: on paper, from the operator's
website, from the witness itself. A key that came with the evidence would prove
nothing.

    1. the public key of the log, one line of text ("vkey")
    2. to check the witnesses: their public keys, lines of the same kind
    3. to check the timestamps: the certificate of the authority, a .pem file

HOW TO CHECK IT

With tamis, on any computer, without network:

    tamis audit verify-bundle THIS.zip --vkey LOG-KEY \\
        --witness-vkey WITNESS-KEY --tsa AUTHORITY.pem

It prints one line for each check and ends with VERIFIED or NOT VERIFIED. What
each decision means, in plain words, and whether it follows from the facts and
rules that were recorded with it:

    tamis explain THIS.zip

Without tamis: unpack the zip. Timestamps, with OpenSSL:

{openssl}
Proofs: any program for c2sp.org/tlog-proof checks them against the leaf and
the log's key.

WHAT IT PROVES

That these decisions were logged as they stand here, and not later than the
timestamps say; that the witnesses were shown the log in one version only; that
the verdicts follow from the recorded facts and rules. It does not prove that
the recorded consent is what the person said, nor that no other decision about
the same person exists.
"""


def readme(evidence: Evidence) -> str:
    """The text for this evidence."""
    manifest = evidence.manifest
    count = len(manifest.items)
    shown = [f"    {item.position}   leaf {item.index} of {item.log}" for item in manifest.items[:20]]
    if count > len(shown):
        shown.append(f"    and {count - len(shown):,} more, listed in evidence.json")
    command = "    openssl ts -verify -data anchors/{0}.txt \\\n        -in anchors/{0}.tsr -CAfile AUTHORITY.pem\n"
    openssl = "".join(command.format(number) for number in manifest.anchors[:5])
    return _TEXT.format(
        count="one decision" if count == 1 else f"{count:,} decisions",
        decisions="\n".join(shown),
        openssl=openssl or "    (there is no timestamp in this file)\n",
    )
