"""An explanation as text for a terminal or a letter."""

from tamis.services.explain import Explanation, Verdict

_WIDTH = 14


def text_of(found: Explanation, log: str) -> str:
    """Some lines, with an empty one at the end."""
    rule = f"{found.rule}: {found.rule_title}" if found.rule_title else found.rule or "none"
    lines = [
        f"{found.position}",
        _row("log", f"leaf {found.seq:,} of {log}"),
        _row("received", found.received_at),
        _row("happened", f"{found.occurred_at}, as the event says"),
        _row("outcome", f"{found.outcome}: {found.sentence}"),
        _row("rule", rule),
        _row("regulation", " and ".join(found.regulations) or "none was asked"),
    ]
    if found.verdicts:
        lines.append("  who got it")
        lines += [_verdict(each) for each in found.verdicts]
    lines.append("  what was known")
    lines += [f"    {fact}" for fact in found.facts]
    lines.append(_row("re-evaluated", f"{found.reevaluated}: {found.note}"))
    return "\n".join([*lines, ""])


def _row(name: str, text: str) -> str:
    return f"  {name:<{_WIDTH}} {text}"


def _verdict(verdict: Verdict) -> str:
    needs = f" (it needs: {', '.join(verdict.needs)})" if verdict.needs else ""
    return f"    {verdict.destination:<12} {'yes' if verdict.gets else 'no ':<3}  {verdict.why}{needs}"
