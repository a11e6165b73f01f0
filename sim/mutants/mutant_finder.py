"""Finds every place of a Python source where one small change makes another program."""

import ast

from .source_mutant import SourceMutant

__all__ = ["MutantFinder"]

ARITHMETIC = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.FloorDiv: ("//", "*"),
    ast.Div: ("/", "*"),
    ast.Mod: ("%", "*"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.BitXor: ("^", "|"),
    ast.Pow: ("**", "*"),
}
COMPARISON = {
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
}
BOUND = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
}
CONDITIONS = ("If", "Elif")
"""Methods of a Module whose argument is a condition."""

FEATURES = ("terms", "path_terms")
"""Methods of shapes that decide nothing of the hardware: what areas and delays are fitted to."""


def _registers(tree: ast.Module) -> set[str]:
    """Names of what is assigned in a clock domain somewhere in a file."""
    names = set()
    for node in ast.walk(tree):
        if not (isinstance(node, ast.AugAssign) and ast.unparse(node.target).endswith("d.sync")):
            continue
        for call in ast.walk(node.value):
            if isinstance(call, ast.Attribute) and call.attr == "eq":
                target = call.value
                while isinstance(target, ast.Attribute | ast.Subscript | ast.Call):
                    target = target.func if isinstance(target, ast.Call) else target.value
                if isinstance(target, ast.Name):
                    names.add(target.id)
    return names


class MutantFinder(ast.NodeVisitor):
    """Walks a file and notes each change; messages, annotations and assertions stay."""

    def __init__(self, file: str, text: str, tree: ast.Module) -> None:
        self.file = file
        self.text = text
        self.encoded = [line.encode() for line in text.splitlines(keepends=True)]
        self.starts = [0]
        for line in text.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.found: list[SourceMutant] = []
        self.statement: ast.stmt | None = None
        self.function = ""
        self.within = ""
        self.counted: dict[str, int] = {}
        self.registers = _registers(tree)

    def at(self, line: int, column: int) -> int:
        """The character of a position that ``ast`` gives in bytes."""
        return self.starts[line - 1] + len(self.encoded[line - 1][:column].decode())

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """First character of a node, and the one after its last."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)

    def note(self, operator: str, start: int, end: int, new: str) -> None:
        """Note one change."""
        assert self.statement is not None
        first, last = self.span(self.statement)
        if isinstance(self.statement, ast.If | ast.With | ast.For | ast.While | ast.FunctionDef):
            last = self.span(self.statement.body[0])[0]
        where = " ".join(self.text[first:last].split())
        line = self.text.count("\n", 0, start) + 1
        old = self.text[start:end]
        key = f"{operator} {where} {old} {new}"
        number = self.counted[key] = self.counted.get(key, 0) + 1
        where = where if number == 1 else f"{where} [{number}]"
        found = (self.file, operator, start, end, line, self.function, old, new, where)
        self.found.append(SourceMutant(*found))

    def visit(self, node: ast.AST) -> None:
        """Keep the innermost statement at hand."""
        before = self.statement
        if isinstance(node, ast.stmt):
            self.statement = node
        super().visit(node)
        self.statement = before

    def between(self, left: ast.expr, right: ast.expr, symbol: str) -> tuple[int, int]:
        """Where an operator stands between its operands; they may be in parentheses."""
        start, end = self.span(left)[1], self.span(right)[0]
        words = symbol.split()
        first = self.text.index(words[0], start, end)
        if len(words) == 1:
            return first, first + len(symbol)
        last = self.text.index(words[1], first, end)
        return first, last + len(words[1])

    def swap(self, operator: str, left: ast.expr, right: ast.expr, pair: tuple[str, str]) -> None:
        start, end = self.between(left, right, pair[0])
        self.note(operator, start, end, pair[1])

    def visit_BinOp(self, node: ast.BinOp) -> None:
        pair = ARITHMETIC.get(type(node.op))
        is_text = isinstance(node.left, ast.JoinedStr | ast.Constant) and not isinstance(
            getattr(node.left, "value", 0), int | float
        )
        if pair is not None and not is_text:
            self.swap("arithmetic", node.left, node.right, pair)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        start, end = self.span(node)
        self.note("dropped", start, end, "pass")
        is_domain = isinstance(node.target, ast.Attribute) and node.target.attr in ("comb", "sync")
        if is_domain:
            assert isinstance(node.target, ast.Attribute)
            stop = self.span(node.target)[1]
            other = "sync" if node.target.attr == "comb" else "comb"
            self.note("domain", stop - 4, stop, other)
        else:
            pair = ARITHMETIC.get(type(node.op))
            if pair is not None:
                self.swap("arithmetic", node.target, node.value, (pair[0] + "=", pair[1] + "="))
        self.visit(node.value)

    def visit_Compare(self, node: ast.Compare) -> None:
        operands = [node.left, *node.comparators]
        for left, op, right in zip(operands, node.ops, operands[1:], strict=False):
            for operator, pairs in (("comparison", COMPARISON), ("bound", BOUND)):
                if type(op) in pairs:
                    self.swap(operator, left, right, pairs[type(op)])
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        start, end = self.span(node)
        if isinstance(node.value, bool):
            self.note("constant", start, end, str(not node.value))
        elif isinstance(node.value, int | float):
            self.note("constant", start, end, f"({self.text[start:end]} + 1)")

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg != "reset_less":  # it has an operator of its own
            self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Invert | ast.Not):
            start = self.span(node)[0]
            length = len("~") if isinstance(node.op, ast.Invert) else len("not")
            self.note("negation", start, start + length, "")
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.negated(node.test)
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        self.negated(node.test)
        self.generic_visit(node)

    def negated(self, test: ast.expr) -> None:
        start, end = self.span(test)
        self.note("branch", start, end, f"not ({self.text[start:end]})")

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        called = node.func.id if isinstance(node.func, ast.Name) else name
        if name in CONDITIONS and len(node.args) == 1:
            start, end = self.span(node.args[0])
            self.note("branch", start, end, f"({self.text[start:end]}) == 0")
        if called == "Mux" and len(node.args) == 3:
            (start, middle), (then, end) = self.span(node.args[1]), self.span(node.args[2])
            text = self.text
            swapped = text[then:end] + text[middle:then] + text[start:middle]
            self.note("branch", start, end, swapped)
        self.generic_visit(node)

    def reset(self, node: ast.Call) -> None:
        """A register that a reset reaches becomes one that it passes by, or the other way round."""
        for keyword in node.keywords:
            if keyword.arg == "reset_less":
                start, end = self.span(keyword.value)
                self.note("reset", start, end, "False")
                return
        end = self.span(node)[1]
        comma = ", " if node.args or node.keywords else ""
        self.note("reset", end - 1, end, f"{comma}reset_less=True)")

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            start, end = self.span(node)
            self.note("dropped", start, end, "pass")
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        names = {target.id for target in node.targets if isinstance(target, ast.Name)}
        call = node.value
        if names & self.registers and isinstance(call, ast.Call):
            if isinstance(call.func, ast.Name) and call.func.id == "Signal":
                self.reset(call)
        if "__all__" not in names:
            self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name in FEATURES:
            return
        defaults = [*node.args.defaults, *node.args.kw_defaults]
        for child in [default for default in defaults if default is not None]:
            self.visit(child)
        before = self.function, self.within
        self.function = f"{self.within}{node.name}"
        self.within = f"{self.function}."
        for statement in node.body:
            self.visit(statement)
        self.function, self.within = before

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        before = self.within
        self.within += f"{node.name}."
        self.generic_visit(node)
        self.within = before

    def visit_Assert(self, node: ast.Assert) -> None:
        """An assertion is there for bugs alone."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Words for people."""

    def visit_Raise(self, node: ast.Raise) -> None:
        """What is raised is mostly words; whether it is, its condition's mutants tell."""
