"""The command line's frame: lazy commands, one line per fault, exit codes."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import click
import pytest

from tamis.cli import main as cli
from tamis.cli.session import Finding
from tamis.services.restarts import GiveUp
from tamis.services.supervisor import Supervisor
from tamis.settings import Settings, SetupError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable


def _with_command(monkeypatch: pytest.MonkeyPatch, run: Callable[[], object]) -> None:
    command = click.Command("probe", callback=run)
    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: command)


def test_commands_without_a_module_are_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "COMMANDS", {"settings": "tamis.cli.settings", "ghost": "tamis.cli.ghost"})
    assert cli.tamis.list_commands(click.Context(cli.tamis)) == ["settings"]
    assert cli.tamis.get_command(click.Context(cli.tamis), "ghost") is None


def test_every_listed_command_has_its_module_and_a_line_of_help() -> None:
    context = click.Context(cli.tamis)
    names = cli.tamis.list_commands(context)
    assert {"settings", "keys", "run", "topics", "worker"} <= set(names)
    for name in names:
        command = cli.tamis.get_command(context, name)
        assert command is not None
        assert command.get_short_help_str()


def test_help_does_not_import_kafka_or_faust() -> None:
    code = "import sys; from tamis.cli.main import main; main(['--help']); print(sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "settings" in done.stdout
    assert not {"'faust'", "'aiokafka'", "'confluent_kafka'", "'river'"} & set(done.stderr.strip("[]\n").split(", "))


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (SetupError("no keys"), 2, "error: no keys\n"),
        (UnreachableError("no cluster"), 75, "error: no cluster\n"),
        (Finding("3 differences"), 1, "error: 3 differences\n"),
        (click.Abort(), 130, ""),
        (KeyboardInterrupt(), 130, "\n"),
    ],
)
def test_expected_faults_are_one_line_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, line: str
) -> None:
    def run() -> None:
        raise error

    _with_command(monkeypatch, run)
    assert cli.main(["probe"]) == code
    assert capsys.readouterr().err == line


def test_unexpected_faults_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> None:
        raise ZeroDivisionError

    _with_command(monkeypatch, run)
    with pytest.raises(ZeroDivisionError):
        cli.main(["probe"])


def test_a_command_may_give_its_own_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    _with_command(monkeypatch, lambda: 70)
    assert cli.main(["probe"]) == 70


@pytest.mark.parametrize("arguments", [["nope"], ["settings", "show", "--jsn"], ["--nope"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: ")
    assert "--help)" in shown


def test_settings_show_redacts_and_names_origins(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAMIS_KAFKA__SECURITY", "sasl_ssl")
    monkeypatch.setenv("TAMIS_KAFKA__USERNAME", "u")
    monkeypatch.setenv("TAMIS_KAFKA__PASSWORD", "pa55word")
    for arguments in (["settings", "show"], ["settings", "show", "--json"]):
        assert cli.main(arguments) == 0
        shown = capsys.readouterr().out
        assert "pa55word" not in shown
        assert "[redacted]" in shown
        assert "TAMIS_KAFKA__USERNAME" in shown


def test_broken_settings_are_all_listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TAMIS_KAFKA__BOOTSTARP", "x")
    monkeypatch.setenv("TAMIS_TOPICS__METRICS_PARTITIONS", "9")
    assert cli.main(["settings", "show"]) == 2
    shown = capsys.readouterr().err
    assert "TAMIS_KAFKA__BOOTSTARP" in shown
    assert "metrics_partitions" in shown


def test_a_reader_that_goes_away_is_no_fault() -> None:
    done = subprocess.run(
        f"{sys.executable} -m tamis.cli.main settings reference | head -1",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "# Settings\n"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "roles"),
    [
        ([], {"intake", "consent", "release", "metrics", "anomaly"}),
        (["--role", "all"], {"intake", "consent", "release", "metrics", "anomaly"}),
        (["--role", "intake", "--role", "metrics"], {"intake", "metrics"}),
    ],
)
def test_worker_hands_over_settings_and_roles(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], roles: set[str]
) -> None:
    seen: list[object] = []
    stub = ModuleType("tamis.worker")
    stub.run_worker = lambda *given: (seen.append(given), 70)[1]  # type: ignore[attr-defined,func-returns-value]
    monkeypatch.setitem(sys.modules, "tamis.worker", stub)
    assert cli.main(["worker", *arguments]) == 70
    assert seen == [(Settings(), frozenset(roles))]


def test_run_ends_with_the_code_of_what_gave_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Supervisor, "run", lambda _: GiveUp(70, "worker-1 crashed"))
    assert cli.main(["run", "--workers", "2"]) == 70
    assert capsys.readouterr().err == "error: worker-1 crashed\n"
    monkeypatch.setattr(Supervisor, "run", lambda _: None)
    assert cli.main(["run"]) == 0
