"""The settings of the audit log and of its sealer, as frozen types; see ``settings`` for the rules."""

from typing import Annotated

import msgspec
from msgspec import Meta

Seconds = Annotated[float, Meta(gt=0)]


class AuditSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The audit log."""

    origin: Annotated[
        str,
        Meta(
            description="names this installation in every log and checkpoint, e.g. `audit.example.org/prod`; for good",
            pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$",
        ),
    ] = "localhost/tamis"
    worker_key_s: Annotated[Seconds, Meta(description="how long a worker's signing key is valid")] = 86_400.0

    idle_head_interval_s: Annotated[
        Seconds, Meta(description="a partition without events writes a head at least so often, and in every new minute")
    ] = 3_600.0


class SealerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The sealer: signs checkpoints of the audit logs and exports them (`tamis sealer`)."""

    enabled: Annotated[bool, Meta(description="`tamis run` starts it on this host")] = True
    path: Annotated[str, Meta(description="its folder: state, tiles; empty: `<paths.state_dir>/sealer`")] = ""
    key_file: Annotated[str, Meta(description="sealing keys; empty: `<paths.state_dir>/sealer-keys.json`")] = ""
    enrolment_key: Annotated[str, Meta(description="what `tamis keys enrolment` prints; empty: from the root key")] = ""
    username: Annotated[str, Meta(description="SASL user of the sealer; empty: that of `kafka`")] = ""
    password_file: Annotated[str, Meta(description="file with its SASL password; empty: that of `kafka`")] = ""
    interval_s: Annotated[Seconds, Meta(description="a log that grew gets a checkpoint so often")] = 1.0
    key_wait_s: Annotated[Seconds, Meta(description="a batch waits so long for its worker key's registration")] = 60.0
    ahead_s: Annotated[Seconds, Meta(description="times further ahead of the sealer's clock are refused")] = 300.0
    witness_policy: Annotated[
        str,
        Meta(description="file of witnesses with their addresses and the quorum (c2sp.org/tlog-policy); empty: none"),
    ] = ""
    witness_interval_s: Annotated[Seconds, Meta(description="witnesses are asked about a log at most so often")] = 10.0
    tsa_urls: Annotated[str, Meta(description="timestamp authorities, addresses with spaces between; empty: none")] = ""
    tsa_certificates: Annotated[str, Meta(description="PEM file of the certificates theirs must lead to")] = ""
    anchor_interval_s: Annotated[Seconds, Meta(description="checkpoints are anchored so often")] = 600.0
    outside_timeout_s: Annotated[Seconds, Meta(description="how long a witness or authority may take to answer")] = 10.0
