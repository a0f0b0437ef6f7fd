"""One way to read a data file: decoded into frozen structs, or refused with its name and the place of the mistake."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from harness.errors import DataFileError

T = TypeVar("T")


def load_toml(path: Path, shape: type[T]) -> T:
    """Reads a TOML file into `shape`.

    Raises:
        DataFileError: it cannot be read, or has an unknown key or a value that does not fit.
    """
    try:
        return msgspec.toml.decode(path.read_bytes(), type=shape)
    except FileNotFoundError:
        raise DataFileError(path, "there is no such file") from None
    except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise DataFileError(path, str(error)) from error


def load_json(path: Path, shape: type[T]) -> T:
    """Reads a JSON file into `shape`; errors as `load_toml`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=shape)
    except FileNotFoundError:
        raise DataFileError(path, "there is no such file") from None
    except RecursionError:
        raise DataFileError(path, "lists or objects in it are nested too deep") from None
    except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise DataFileError(path, str(error)) from error
