"""The grammar of commands, as far as it decides how the text of a word is read: where a word may be an assignment, a
pattern, a redirection's target, the body of a here-document or a comment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from engines.jobs.shell_here_documents import HereDocuments
from engines.jobs.shell_places import MARK, Findings, Need, Piece, Place, Site, Word

_METACHARACTERS = " \t\n;&|<>()"
_OPERATOR = re.compile(r";;&|;&|;;|&&|\|\||\|&|[;&|]")
_CASE_END = (";;&", ";&", ";;")
_REDIRECTION = re.compile(r"<<<|<<-|<<|<&|>&|<>|>\||>>|&>>|&>|<|>")
_DESCRIPTOR = re.compile(r"(?:[0-9]+|\{[A-Za-z_][A-Za-z0-9_]*\})(?=[<>])")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?=\+?=|\[)")
_EQUALS = re.compile(r"\+?=")
_PARENTHESES = re.compile(r"\([ \t]*\)")
_ESAC = re.compile(r"esac(?![^\s;&|<>()])")
_FOR_CLAUSE = re.compile(r"(?:in|do)(?![^\s;&|<>()])")
_INTEGER_FLAG = re.compile(r"[-+][A-Za-z]*i[A-Za-z]*\Z")

_COMMAND_FOLLOWS = frozenset("if then elif else fi do done while until ! { } time coproc esac".split())
_DECLARATIONS = frozenset("export readonly declare typeset local".split())
_COMPARES_NUMBERS = frozenset("-eq -ne -lt -le -gt -ge".split())
_TAKES_A_NAME = frozenset(("-v", "-R"))


@dataclass(slots=True)
class _Command:
    """How far a simple command has come."""

    first: bool = True  # assignments and reserved words are still possible
    declares: bool = False
    integers: bool = False
    need: Need | None = None
    timed: bool = False


class Commands(HereDocuments):
    """Steps over whole commands."""

    def substitution(self) -> None:
        outer, self.pending = self.pending, []
        with self.needing(None):
            self.commands(")")
        # Bash reads a here-document that is still open at the parenthesis after the line's end.
        self.pending = outer + self.pending

    def inner_script(self, text: str, origins: Sequence[int]) -> None:
        inner = Commands(text, origins, self.findings, backticks=self.backticks + 1, depth=self.depth)
        inner.commands("")

    def commands(self, until: str) -> str:
        """Step over commands and what ends them: ``)``, or in a ``case`` an operator like ``;;`` or ``esac``."""
        command = _Command()
        with self.nested():
            while self.position < self.end:
                char = self.peek()
                if self._skip_blank():
                    continue
                if char == "\n":
                    self.newline()
                    command = _Command()
                elif char == "#":
                    self._comment()
                elif self.match(_DESCRIPTOR):
                    self.take(_DESCRIPTOR)
                elif self._at_redirection():
                    self._redirection()
                elif char in ";&|":
                    operator = self.take(_OPERATOR)
                    if until == "esac" and operator in _CASE_END:
                        return operator
                    command = _Command()
                elif char == "(":
                    command = self._parenthesis(command)
                elif char == ")":
                    self.position += 1
                    if until == ")":
                        return ")"
                elif self._command_word(command) == until == "esac":
                    return "esac"
        return ""

    # What is no word

    def _skip_blank(self) -> bool:
        if self.at("\\\n"):
            self.position += 2
        elif self.peek() in (" ", "\t"):
            self.position += 1
        else:
            return False
        return True

    def _skip_gap(self) -> None:
        """Blanks, line ends and comments, where the grammar allows them between words."""
        while self.position < self.end:
            if self.peek() == "\n":
                self.newline()
            elif self.peek() == "#":
                self._comment()
            elif not self._skip_blank():
                return

    def _comment(self) -> None:
        while self.position < self.end and self.peek() != "\n":
            if self.peek() == MARK:
                self.site(Place.QUOTED)
            else:
                self.position += 1

    def _at_redirection(self) -> bool:
        return self.match(_REDIRECTION) is not None and not (self.at("<(") or self.at(">("))

    def _redirection(self) -> None:
        operator = self.take(_REDIRECTION)
        while self._skip_blank():
            pass
        start = self.position
        self._word(Place.WHOLE)
        if operator in ("<<", "<<-"):
            self.expect_document(start, strip_tabs=operator == "<<-")

    def _parenthesis(self, command: _Command) -> _Command:
        if command.first:
            if not self.arithmetic_parentheses():
                self.position += 1
                self.commands(")")
        elif not self.take(_PARENTHESES):  # not a function's definition: only a syntax error is left
            self.position += 1
            self.commands(")")
        return _Command()

    # Words

    def _word(self, place: Place, *, glued: bool = False, stops: str = _METACHARACTERS) -> tuple[str, Word]:
        """Step over a word; its text, empty unless that is plain, and its parts."""
        word = Word([Piece.TEXT] if glued else [])
        start, plain = self.position, True
        while self.position < self.end:
            char = self.peek()
            if self.at("<(") or self.at(">("):
                self.position += 2
                word.pieces.append(Piece.TEXT)
                self.substitution()
            elif char == "(" and char in stops and self.text[start : self.position][-1:] in tuple("?*+@!"):
                self._pattern_list(word)
            elif char in stops:
                break
            else:
                plain = plain and char not in MARK + "\\'\"$`"
                self.piece(place, word)
        return (self.text[start : self.position] if plain else ""), word

    def _pattern_list(self, word: Word) -> None:
        """An extended pattern such as ``!(a|b)``, where it is switched on."""
        word.pieces.append(Piece.TEXT)
        self.position += 1
        with self.nested():
            while self.position < self.end and self.peek() != ")":
                if self.peek() == "(":
                    self._pattern_list(word)
                else:
                    self.piece(Place.WHOLE)
        self.position += 1

    def _command_word(self, command: _Command) -> str:
        """Step over a word of a simple command; a reserved word that this one is."""
        if command.first and self.at("!("):
            self.position += 1  # a negated subshell
            return ""
        if (command.first or command.declares) and self.match(_ASSIGNMENT) and self._assignment(command):
            return ""
        with self.needing(command.need):
            text, word = self._word(Place.BARE)
        if not command.first:
            if command.declares:
                command.integers = command.integers or bool(_INTEGER_FLAG.match(text))
                self._declare(command, text)
            return ""
        if self._vanishes(word) or (command.timed and text in ("-p", "--")):
            return ""
        command.timed = text == "time"
        if text == "case":
            self._case()
        elif text in ("for", "select"):
            self._for(command)
        elif text == "[[":
            self._conditional()
        elif text == "function":
            self._skip_gap()
            self._word(Place.WHOLE)
            self.take(_PARENTHESES)
        elif text not in _COMMAND_FOLLOWS:
            command.first = False
            command.declares = text in _DECLARATIONS
            command.need = Need.NUMBER if text == "let" else None
        return text

    def _vanishes(self, word: Word) -> bool:
        return all(isinstance(piece, Site) and piece.start in self.findings.vanishing for piece in word.pieces)

    # Assignments

    def _declare(self, command: _Command, name: str) -> None:
        if command.integers and name:
            self.findings.integers.add(name)

    def _assignment(self, command: _Command) -> bool:
        """Step over ``name=value``, ``name+=value``, ``name[index]=value`` or ``name=(...)``; whether it was one."""
        name = self.take(_ASSIGNMENT)
        if self.peek() == "[" and not self._index():
            self.position -= len(name)
            return False
        self.take(_EQUALS)
        self._declare(command, name)
        with self.needing(Need.NUMBER if name in self.findings.integers else None):
            if self.peek() == "(":
                self._array()
            else:
                self._word(Place.WHOLE)
        return True

    def _index(self) -> bool:
        """Step over ``[index]`` if an assignment goes on behind it; it is part of a pattern otherwise."""
        key = (self.backticks, self.offset(self.position))
        if key in self.findings.not_arithmetic:
            return False
        start, sites, edits = self.position, len(self.findings.sites), len(self.findings.edits)
        self.position += 1
        if not self.arithmetic("]") or self.match(_EQUALS):
            return True  # without its end, bash takes all that follows for the index
        self.position = start
        del self.findings.sites[sites:], self.findings.edits[edits:]
        self.findings.not_arithmetic.add(key)
        return False

    def _array(self) -> None:
        self.position += 1
        while self.position < self.end:
            self._skip_gap()
            if self.peek() == ")":
                break
            indexed = self.peek() == "["
            if indexed:
                self.position += 1
                self.arithmetic("]")
            if indexed and self.take(_EQUALS):
                self._word(Place.WHOLE)
            elif self._word(Place.BARE, glued=indexed)[1].pieces == []:
                self.position += 1  # an operator, which has no place here
        self.position += 1

    # Compound commands

    def _for(self, command: _Command) -> None:
        while self._skip_blank():
            pass
        if self.arithmetic_parentheses():
            return
        self._word(Place.WHOLE)
        self._skip_gap()
        command.first = self.take(_FOR_CLAUSE) != "in"

    def _case(self) -> None:
        with self.nested():
            self._skip_gap()
            self._word(Place.WHOLE)
            self._skip_gap()
            self._word(Place.WHOLE)  # `in`
            while self.position < self.end:
                self._skip_gap()
                if self.peek() == "(":
                    self.position += 1
                elif self.take(_ESAC):
                    return
                self._case_pattern()
                if self.commands("esac") == "esac":
                    return

    def _case_pattern(self) -> None:
        while self.position < self.end and self.peek() != ")":
            start = self.position
            self._skip_gap()
            self._word(Place.WHOLE)
            if self.position == start:
                self.position += 1
        self.position += 1

    def _conditional(self) -> None:
        """``[[ ... ]]``: its words never split, and some operators evaluate theirs as arithmetic."""
        stops = _METACHARACTERS
        need: Need | None = None
        before = self.position, len(self.findings.sites), len(self.findings.edits)
        while self.position < self.end:
            self._skip_gap()
            here = self.position, len(self.findings.sites), len(self.findings.edits)
            with self.needing(need):
                text = self._word(Place.WHOLE, stops=stops)[0]
            if text == "]]":
                return
            if self.position == here[0]:
                self.position += 1
                continue
            if text in _COMPARES_NUMBERS:
                self._read_again_as_number(*before)
            need = Need.NUMBER if text in _COMPARES_NUMBERS else Need.NAME if text in _TAKES_A_NAME else None
            # A regular expression may hold parentheses and bars; it ends at a blank.
            stops = " \t\n" if text == "=~" else _METACHARACTERS
            before = here

    def _read_again_as_number(self, start: int, sites: int, edits: int) -> None:
        """Scan a word once more, now that the operator behind it tells how the shell reads it."""
        after, self.position = self.position, start
        del self.findings.sites[sites:], self.findings.edits[edits:]
        with self.needing(Need.NUMBER):
            self._word(Place.WHOLE)
        self.position = after


def survey(text: str, vanishing: frozenset[int]) -> Findings:
    """Scan a script in which every expression has been replaced by a ``MARK``.

    ``vanishing`` tells at which offsets the value is blank and splits: such an expression leaves no word behind.
    """
    findings = Findings(vanishing)
    Commands(text, range(len(text) + 1), findings, backticks=0, depth=0).commands("")
    return findings
