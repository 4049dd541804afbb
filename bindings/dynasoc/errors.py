"""Errors. Their text is that of the command line: `file:line:column: /json/pointer: what is wrong (did you mean ...?)`."""

from ._core import InputError, InternalError, OutsideError

__all__ = ["InputError", "InternalError", "OutsideError"]
