"""Source hashes of the Faust, aiokafka and mode internals that the batch transport overrides or relies on.

`python -m tests.support.internals --write` pins the installed versions, after somebody has read what changed and run
the chaos tests. `O` marks what is overridden, `R` what is relied on without being overridden.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import sys
from importlib.metadata import version
from pathlib import Path

PINS = Path(__file__).resolve().parents[1] / "contract" / "test_pinned_internals.json"
PACKAGES = ("faust-streaming", "aiokafka", "mode-streaming")
COMPILED = ("faust/_cython/streams.pyx",)  # the stream loop; its source ships beside the binary

OVERRIDDEN = {
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread": (
        "_create_worker_consumer on_partitions_assigned _fetch_records"
    ),
    "faust.transport.drivers.aiokafka:Consumer": "_new_consumer_thread on_stop verify_event_path",
    "faust.transport.drivers.aiokafka:Producer": "_settings_extra",
    "faust.transport.drivers.aiokafka:Transport": "__init__",
    "faust.transport.consumer:Consumer": (
        "on_partitions_assigned on_partitions_revoked perform_seek stop_flow wait_empty on_stop on_task_error commit "
        "_new_offset getmany"
    ),
    "faust.serializers.schemas:Schema": "__init__ compile",
    "faust.sensors.base:Sensor": "on_stream_event_out",
    "mode.utils.collections:ManagedUserDict": "__getitem__ __contains__ __setitem__ __delitem__",
    "aiokafka.codec:lz4_encode": "",
}

RELIED_ON = {
    "faust.transport.consumer:Consumer": (
        "_drain_messages _wait_next_records resume_flow pause_partitions resume_partitions ack force_commit "
        "_commit_tps _get_active_partitions _is_changelog_tp"
    ),
    "faust.transport.consumer:ThreadDelegateConsumer": (
        "threadsafe_partitions_assigned threadsafe_partitions_revoked seek_to_committed position _commit"
    ),
    "faust.transport.drivers.aiokafka:ConsumerRebalanceListener": "on_partitions_revoked on_partitions_assigned",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread": (
        "getmany _commit seek_to_committed seek_to_beginning _ensure_consumer highwater _highwaters"
    ),
    "faust.transport.drivers.aiokafka:Producer": "_settings_default _settings_auth _ensure_producer",
    "faust.transport.drivers.aiokafka:server_list": "",
    "faust.transport.drivers.aiokafka:credentials_to_aiokafka_auth": "",
    "faust.app.base:App": (
        "_on_partitions_revoked _on_partitions_assigned _stop_consumer on_rebalance_start on_rebalance_end on_stop "
        "on_started _on_agent_error"
    ),
    "faust.tables.recovery:Recovery": (
        "_restart_recovery _resume_streams on_recovery_completed on_rebalance _set_recovery_ended need_recovery "
        "flush_buffers _slurp_changelogs _build_highwaters _build_offsets _seek_offsets"
    ),
    "faust.tables.manager:TableManager": "on_commit on_rebalance on_standbys_ready",
    "faust.tables.base:Collection": "apply_changelog_batch persisted_offset",
    "faust.stores.memory:Store": "apply_changelog_batch _create_batch_iterator on_recovery_completed persisted_offset",
    "faust.transport.conductor:ConductorCompiler": "build",
    "faust.streams:Stream": "_py_aiter _c_aiter _set_current_event",
    "mode.services:Service": "crash stop wait_until_stopped",
    "mode.utils.queues:FlowControlEvent": "resume suspend",
    "mode.utils.queues:FlowControlQueue": "clear put_nowait_enhanced",
    "aiokafka.consumer.fetcher:Fetcher": (
        "fetched_records _get_actions_per_node _proc_fetch_request end_offsets _proc_offset_request _notify "
        "_create_fetch_waiter"
    ),
    "aiokafka.consumer.fetcher:FetchResult": "__init__ getall check_assignment _update_position",
    "aiokafka.consumer.fetcher:FetchError": "check_raise",
    "aiokafka.consumer.fetcher:PartitionRecords": (
        "__init__ _unpack_records _consume_aborted_up_to _contains_abort_marker"
    ),
    "aiokafka.record.memory_records:_MemoryRecordsPy": "has_next next_batch",
    "aiokafka.record.default_records:_DefaultRecordBatchPy": "__init__ __iter__ __next__ _maybe_uncompress _read_msg",
    "aiokafka.consumer.consumer:AIOKafkaConsumer": (
        "getmany seek pause assign committed beginning_offsets end_offsets highwater"
    ),
    "aiokafka.consumer.group_coordinator:GroupCoordinator": "_on_join_prepare _on_join_complete commit_offsets",
    "aiokafka.producer.producer:AIOKafkaProducer": (
        "create_batch send_batch begin_transaction send_offsets_to_transaction commit_transaction"
    ),
    "aiokafka.producer.message_accumulator:BatchBuilder": "__init__ append close _build record_count",
    "aiokafka.producer.message_accumulator:MessageAccumulator": "add_batch _append_batch create_builder _pop_batch",
    "aiokafka.producer.message_accumulator:MessageBatch": "done failure",
    "aiokafka.partitioner:murmur2": "",
}


def installed() -> dict[str, str]:
    """The versions the hashes belong to."""
    return {package: version(package) for package in PACKAGES}


def hashes() -> dict[str, str]:
    """`O|R module:object` to the hash of its source, or why there is none."""
    found = {}
    for kind, listed in (("O", OVERRIDDEN), ("R", RELIED_ON)):
        for where, names in listed.items():
            for name in names.split() or [""]:
                found[f"{kind} {where}{'.' if name else ''}{name}"] = _hash(where, name)
    root = Path(inspect.getfile(importlib.import_module("faust"))).parents[1]
    for path in COMPILED:
        found[f"R {path}"] = hashlib.sha256((root / path).read_bytes()).hexdigest()[:16]
    return found


def _hash(where: str, name: str) -> str:
    module, _, owner = where.partition(":")
    try:
        target = getattr(importlib.import_module(module), owner)
        if name:
            target = inspect.getattr_static(target, name)
        for wrapper in ("__func__", "fun", "__wrapped__"):
            target = getattr(target, wrapper, target)
        return hashlib.sha256(inspect.getsource(target).encode()).hexdigest()[:16]
    except (AttributeError, ImportError, TypeError, OSError) as error:
        return f"missing: {error}"


def changes() -> list[str]:
    """What differs from the pinned hashes, by name."""
    pinned = json.loads(PINS.read_text())["hashes"]
    now = hashes()
    return sorted(name for name in pinned.keys() | now.keys() if pinned.get(name) != now.get(name))


def write() -> None:
    """Pin what is installed."""
    PINS.write_text(json.dumps({"versions": installed(), "hashes": hashes()}, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    print("\n".join(changes()) or "nothing changed")
