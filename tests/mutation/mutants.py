"""Small wrongs in a module's source, one at a time: what a slip of the hand would write."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TypeVar

T = TypeVar("T")

# A boundary moved by one step, and the comparison turned round.
OTHER: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
COUNTING: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
ORDERING = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
WORDS = frozenset({"fix", "reason", "doc", "why", "detail", "says"})  # told to people, not acted on


@dataclass(frozen=True)
class Mutant:
    """One wrong: where it is, what stood there, what stands there now."""

    module: str  # ordergate.order.policy.rules.size
    line: int
    last: int
    place: str  # qualified name of the function, "" at module level
    kind: str  # ordering, comparison, logic, arithmetic, number, flag, answer, raise, member, act
    before: str
    after: str
    again: int  # how many equal ones stand before it in the same place
    source: ast.Module
    node: ast.AST
    other: ast.AST

    @property
    def name(self) -> str:
        """Return what names this mutant as long as its own lines stay as they are."""
        again = f" #{self.again + 1}" if self.again else ""
        return f"{self.module}:{self.place or '-'}: {self.before} -> {self.after}{again}"

    def tree(self) -> ast.Module:
        """Return the module's tree with the wrong in it; the source's own is left alone."""
        memo: dict[int, object] = {id(self.node): ast.copy_location(self.other, self.node)}
        return ast.fix_missing_locations(copy.deepcopy(self.source, memo))


Wrong = tuple[str, ast.AST, str, str]  # kind, what stands there instead, before, after


def mutants_of(module: str, source: str) -> list[Mutant]:
    """Return every mutant of a module's source, in the order of its lines."""
    tree = ast.parse(source)
    found: list[Mutant] = []
    seen: Counter[tuple[str, str, str]] = Counter()
    for node, place, at_rest in _walk(tree, "", at_rest=True):
        for kind, other, before, after in _others(node, at_rest=at_rest):
            what = (place, before, after)
            first, last = node.lineno, node.end_lineno  # type: ignore[attr-defined]
            found.append(
                Mutant(
                    *(module, first, last, place, kind, before, after),
                    *(seen[what], tree, node, other),
                )
            )
            seen[what] += 1
    return sorted(found, key=lambda one: one.line)


def _text(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 160 else f"{text[:120]} ... {text[-36:]}"


def _walk(node: ast.AST, place: str, *, at_rest: bool) -> Iterator[tuple[ast.AST, str, bool]]:
    """Yield what may be mutated: no annotations, docstrings, imports, nor words for people."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_words(child):
                continue
            if at_rest and isinstance(child, ast.Subscript):
                continue  # the name of a type
            inner, rest = place, at_rest
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inner = f"{place}.{child.name}".lstrip(".")
                rest = isinstance(child, ast.ClassDef)
            elif hasattr(child, "lineno"):
                yield child, place, at_rest
            yield from _walk(child, inner, at_rest=rest)


def _is_words(node: ast.AST) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    return isinstance(node, ast.keyword) and node.arg in WORDS


def _others(node: ast.AST, *, at_rest: bool) -> Iterator[Wrong]:
    for kind, other in _elsewise(node):
        yield kind, other, _text(node), _text(other)
    match node:
        case ast.Set(elts=elts) if len(elts) > 1:
            for number, one in enumerate(elts):
                yield "member", ast.Set(_without(elts, number)), _text(one), "left out"
        case ast.Dict(keys=keys, values=values) if at_rest and len(values) > 1:
            yield from _rows(keys, values)
        case ast.Tuple(elts=elts, ctx=ast.Load()) if at_rest and len(elts) > 1:
            if all(isinstance(one, ast.Attribute | ast.Name | ast.Call) for one in elts):
                for number, one in enumerate(elts):
                    less = ast.Tuple(_without(elts, number), ast.Load())
                    yield "member", less, _text(one), "left out"


def _elsewise(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.Compare(ops=[*ops]):
            yield from _compared(node, ops)
        case ast.BoolOp(op=op, values=values):
            yield "logic", ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            for number in range(len(values)):
                left = _without(values, number)
                yield "logic", left[0] if len(left) == 1 else ast.BoolOp(op, left)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            if not isinstance(operand, ast.Constant):
                yield "logic", operand
        case ast.BinOp(left=left, op=op, right=right) if type(op) in COUNTING:
            if not (isinstance(left, ast.Constant) and isinstance(left.value, str)):
                yield "arithmetic", ast.BinOp(left, COUNTING[type(op)](), right)
        case ast.Constant(value=bool() as value):
            yield "flag", ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield "number", ast.Constant(value + 1)
        case ast.Call():
            yield from _called(node)
        case ast.If(test=ast.Name() | ast.Attribute() | ast.Call() as test):
            yield "logic", ast.If(ast.UnaryOp(ast.Not(), test), node.body, node.orelse)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield "logic", ast.IfExp(test, orelse, body)
        case ast.Return(value=ast.expr() as value) if not _is_nothing(value):
            yield "answer", ast.Return(ast.Constant(None))
        case ast.Raise():
            yield "raise", ast.Pass()
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.AugAssign():
            yield "act", ast.Pass()


def _compared(node: ast.Compare, ops: list[ast.cmpop]) -> Iterator[tuple[str, ast.AST]]:
    for number, op in enumerate(ops):
        for other in OTHER[type(op)]:
            changed = [*ops[:number], other(), *ops[number + 1 :]]
            kind = "ordering" if isinstance(op, ORDERING) else "comparison"
            yield kind, ast.Compare(node.left, changed, node.comparators)


def _called(node: ast.Call) -> Iterator[tuple[str, ast.AST]]:
    match node.func:
        case ast.Name(id=name) if name in NAMES:
            yield "logic", ast.Call(ast.Name(NAMES[name], ast.Load()), node.args, node.keywords)
        case ast.Name(id="abs") if node.args:
            yield "arithmetic", node.args[0]
        case ast.Name(id="Decimal" | "_number" | "_count") if node.args:
            more = _one_more(node.args[0])
            if more is not None:
                yield "number", ast.Call(node.func, [more, *node.args[1:]], node.keywords)


def _one_more(number: ast.expr) -> ast.expr | None:
    if not isinstance(number, ast.Constant) or not isinstance(number.value, str):
        return None
    try:
        return ast.Constant(str(Decimal(number.value) + 1))
    except InvalidOperation:
        return None


def _rows(keys: list[ast.expr | None], values: list[ast.expr]) -> Iterator[Wrong]:
    """Yield the table without each row, and with each row's value another's."""
    for number, (key, value) in enumerate(zip(keys, values, strict=True)):
        row = _text(value) if key is None else f"{_text(key)}: {_text(value)}"
        yield "member", ast.Dict(_without(keys, number), _without(values, number)), row, "left out"
        strangers = [one for one in values if ast.dump(one) != ast.dump(value)]
        if key is not None and strangers:
            other = strangers[number % len(strangers)]
            changed = ast.Dict(keys, [*values[:number], other, *values[number + 1 :]])
            yield "member", changed, row, _text(other)


def _without(rows: list[T], number: int) -> list[T]:
    return rows[:number] + rows[number + 1 :]


def _is_nothing(value: ast.expr) -> bool:
    """Say whether None in its place would say the same: False is another's flag to turn."""
    return isinstance(value, ast.Constant) and value.value in (None, False)
