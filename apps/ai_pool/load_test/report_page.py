"""The report of a load test as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import inf

from apps.ai_pool.capacity_plan.outcome import Outcome
from apps.ai_pool.capacity_plan.spread import Spread
from apps.ai_pool.capacity_plan.wording import OUTCOME_HEADINGS, outcome_rows, workload_line
from apps.ai_pool.load_test.comparison import Compared
from apps.ai_pool.load_test.plots import Bars, bar_plot, step_plot
from apps.ai_pool.load_test.result import COMPARISON_HEADINGS, Result, comparison_cells

NUM_WORST = 3
"""So many figures are named when the plan was off."""
STYLE = """
:root{color-scheme:light dark;--bg:#fbfbfa;--card:#fff;--ink:#1d1f23;--dim:#5d6470;--line:#e1e3e8;
--c0:#2f6fde;--c1:#8a5bd6;--c2:#c2527f;--good:#1a7f45;--bad:#b3261e;--mark:#1d1f23}
@media(prefers-color-scheme:dark){:root{--bg:#15171b;--card:#1d2026;--ink:#e8eaee;--dim:#a0a7b4;
--line:#333842;--c0:#6ba1ff;--c1:#b592f0;--c2:#ec8db2;--good:#5fc98a;--bad:#ff8a80;--mark:#fff}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:76rem;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.5rem;margin:0 0 .25rem}h2{font-size:1.1rem;margin:0 0 .5rem}
p{margin:.25rem 0;color:var(--dim)}
.verdict{color:var(--ink);font-weight:600;margin:.75rem 0}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:1rem}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1rem;
margin-top:1rem;min-width:0}
.plots section{margin:0}.plots{margin-top:1rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums;width:100%}
th,td{padding:.35rem .6rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
th{color:var(--dim);font-weight:500}th:first-child,td:first-child{text-align:left}
.yes{color:var(--good)}.no{color:var(--bad);font-weight:600}
svg{width:100%;height:auto;display:block}
svg text{fill:var(--dim);font-size:13px}
.x{text-anchor:middle}.y{text-anchor:end}.v{text-anchor:middle;font-size:12px}
.grid{stroke:var(--line)}
.c0{fill:var(--c0)}.c1{fill:var(--c1)}.c2{fill:var(--c2)}
.l0,.l1{fill:none;stroke-width:2}.l0{stroke:var(--c2)}.l1{stroke:var(--c0)}
.mark{stroke:var(--mark);stroke-width:3}
.key{display:flex;flex-wrap:wrap;gap:.25rem 1rem;font-size:.875rem;margin:0 0 .5rem}
.key i{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.4em}
.k0{background:var(--c0)}.k1{background:var(--c1)}.k2{background:var(--c2)}
.km{background:var(--mark);height:3px!important;vertical-align:middle}
@media(max-width:40rem){svg text{font-size:20px}.v{font-size:17px}main{padding:1rem .75rem 2rem}}
@media print{body{background:#fff}section{break-inside:avoid}}
"""


def report_page(result: Result) -> str:
    """Return the page: a verdict, tables and plots; in light and dark, on any width."""
    body = [
        f"<h1>Load test: {result.workload.num_users} visitors</h1>",
        f"<p>{escape(result.model)}, {escape(result.began)}</p>",
        f"<p>{escape(workload_line(result.workload))}</p>",
        f'<p class="verdict">{escape(_answers_sentence(result))}</p>',
        *([f"<p>{escape(said)}</p>"] if (said := plan_sentence(result)) else []),
        _section(
            "For every size of the pool", _table(OUTCOME_HEADINGS, outcome_rows(result.outcomes))
        ),
        '<div class="plots">',
        _bars(result, "Whole answer", "total"),
        _bars(result, "First word", "ttft"),
        _bars(result, "Waiting for an instance", "wait"),
        _section("Tokens per second of all together, by instances", _tok_s(result)),
        *(_over_time(run.outcome, run.samples) for run in result.runs),
        "</div>",
    ]
    if result.compared:
        table = _table(COMPARISON_HEADINGS, comparison_cells(result.compared))
        body.append(
            _section(
                "Planned and measured",
                f"{table}<p>Seconds, except where it says "
                "tokens. A difference below a quarter of a second counts as none.</p>",
            )
        )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Load test</title><style>{STYLE}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def verdict(result: Result) -> str:
    """Return the result in some sentences: the answers, and how true the plan was."""
    return " ".join(filter(None, (_answers_sentence(result), plan_sentence(result))))


def _answers_sentence(result: Result) -> str:
    best = min(result.outcomes, key=lambda one: (one.num_failed, one.num_refused, one.total.p95))
    text = (
        f"Quickest with {best.num_instances} instance{'' if best.num_instances == 1 else 's'}: "
        f"95 of 100 answers were complete within {best.total.p95:.1f} s, the first word came "
        f"after {best.ttft.p50:.1f} s (median)."
    )
    if result.num_bad:
        text += f" {result.num_bad} questions got no answer."
    return text


def plan_sentence(result: Result) -> str:
    """Return how true the plan was, and which figures were off the most; "" without a plan."""
    if not result.plan:
        return ""
    compared = result.compared
    if not compared:
        sizes = ", ".join(str(size) for size in sorted(result.plan))
        return f"The plan is about other sizes of the pool ({sizes}), so nothing was compared."
    off = [one for one in compared if not one.is_true]
    text = f"The plan was within 25 % in {len(compared) - len(off)} of {len(compared)} measures."
    if not off:
        return text
    off.sort(key=lambda one: -abs(one.deviation or inf))
    worst = "; ".join(map(_off, off[:NUM_WORST]))
    more = f"; and {len(off) - NUM_WORST} more" if len(off) > NUM_WORST else ""
    return f"{text} Off: {worst}{more}."


def _off(one: Compared) -> str:
    by = "" if one.deviation is None else f"by {round(100 * one.deviation):+d} % "
    unit = "" if one.name.startswith("tokens") else " s"
    return (
        f"{one.name} with {one.num_instances} {by}"
        f"({one.planned:.2f}{unit} planned, {one.measured:.2f}{unit} measured)"
    )


def _bars(result: Result, title: str, name: str) -> str:
    groups = []
    for outcome in result.outcomes:
        planned = result.plan.get(outcome.num_instances)
        marks: tuple[float | None, ...] = ()
        if planned is not None:
            marks = _quantiles(getattr(planned, name))
        groups.append(Bars(str(outcome.num_instances), _quantiles(getattr(outcome, name)), marks))
    key = _key(("k0", "median"), ("k1", "p95"), ("k2", "p99"), planned=bool(result.plan))
    return _section(
        f"{title}, seconds by instances", key + bar_plot(f"{title} by instances", groups, "s")
    )


def _tok_s(result: Result) -> str:
    groups = []
    for outcome in result.outcomes:
        planned = result.plan.get(outcome.num_instances)
        marks = () if planned is None else (planned.tok_s,)
        groups.append(Bars(str(outcome.num_instances), (outcome.tok_s,), marks))
    key = _key(("k0", "measured"), planned=bool(result.plan))
    return key + bar_plot("Tokens per second by instances", groups, "")


def _over_time(outcome: Outcome, samples: Sequence[tuple[float, int, int]]) -> str:
    title = f"Over time, {_num_instances(outcome)}"
    key = _key(("k2", "waiting"), ("k0", "being answered"), planned=False)
    return _section(title, key + step_plot(title, samples, ("waiting", "being answered")))


def _num_instances(outcome: Outcome) -> str:
    return f"{outcome.num_instances} instance{'' if outcome.num_instances == 1 else 's'}"


def _quantiles(spread: Spread) -> tuple[float, float, float]:
    return spread.p50, spread.p95, spread.p99


def _key(*entries: tuple[str, str], planned: bool) -> str:
    if planned:
        entries += (("km", "planned"),)
    items = "".join(f'<span><i class="{name}"></i>{text}</span>' for name, text in entries)
    return f'<p class="key">{items}</p>'


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    lines = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return (
        f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _cell(text: str) -> str:
    mark = f' class="{text}"' if text in ("yes", "no") else ""
    return f"<td{mark}>{escape(text)}</td>"
