"""``tamis rules``: publish rules, see who runs what, go back, and compare a candidate with what runs.

Rules: ``plan`` and ``diff`` change nothing; ``publish`` refuses what a worker would refuse; a pointer that was moved is
read back. Exit codes: 0 done or nothing to do, 1 ``plan`` and ``diff`` found differences, ``status`` a worker that does
not run what it should, 2 wrong usage or configuration, 75 the cluster does not answer.
"""

import click

from tamis.cli.rules_compare import diff, shadow
from tamis.cli.rules_look import key, plan, show, status
from tamis.cli.rules_publish import publish, rollback


@click.group(name="rules")
def command() -> None:
    """Publish rules, see who runs what, go back, compare a candidate."""


for _each in (plan, publish, rollback, status, show, key, shadow, diff):
    command.add_command(_each)
