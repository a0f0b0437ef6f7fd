"""The process that opens binaries: bounded, so that no bytes of theirs can crash, hang or fill the tool.

Its arguments are a `Job` as JSON, and the files. The answer goes to standard output: a JSON list with one `Answer` for
each file, in order.
"""

from __future__ import annotations

import math
import os
import resource
import sys
import time
from pathlib import Path
from typing import Final

import msgspec

from dmconform.binaries.elf import Malformed
from dmconform.binaries.facts import ReachFacts
from dmconform.binaries.host import host_facts
from dmconform.binaries.kinds import ProblemKind
from dmconform.binaries.messages import ReadAnswer, ReadAs, ReadJob
from dmconform.binaries.module import defined_versions, export_names, module_facts

ADDRESS_SPACE_BYTES: Final = 2 << 30  # the largest file, mapped, and the rest
MEMORY_BYTES: Final = 160 << 20  # of its own, without what is mapped of files
CPU_S: Final = 10  # for one file; the slowest known takes a tenth of it. Shorter than the time-out of the reader
ANSWER_LIMIT_BYTES: Final = 4 << 20  # for one file


def answer(job: ReadJob, path: Path) -> ReadAnswer:
    """Reads one file. An unexpected error becomes its problem, too."""
    try:
        return _contents(job, path)
    except Malformed as problem:
        return ReadAnswer(problem=str(problem), problem_kind=problem.kind)
    except MemoryError:
        limit = resource.getrlimit(resource.RLIMIT_DATA)[0]
        return _too_much(f"expected to be read within {limit} bytes of memory, it takes more")
    except Exception as error:  # an error caused by foreign bytes is reported, not raised
        text = f"expected an ELF file that makes sense, reading it ended with {type(error).__name__}: {error}"
        return ReadAnswer(problem=text, problem_kind=ProblemKind.READER)


def _too_much(problem: str) -> ReadAnswer:
    return ReadAnswer(problem=problem, problem_kind=ProblemKind.TOO_MUCH)


def _contents(job: ReadJob, path: Path) -> ReadAnswer:
    match job.what:
        case ReadAs.MODULE:
            return ReadAnswer(module=module_facts(path, job.known_abi))
        case ReadAs.HOST:
            return ReadAnswer(host=host_facts(path, job.release, job.known_abi))
        case ReadAs.EXPORTS:
            return ReadAnswer(exports=export_names(path))
        case ReadAs.VERSIONS:
            return ReadAnswer(versions=defined_versions(path))
        case ReadAs.REACH:
            return ReadAnswer(reach=_reach(job, path))


def _reach(job: ReadJob, path: Path) -> ReachFacts:
    from dmconform.binaries.reach import reach_of  # seldom needed

    return reach_of(path, job.hooks, job.language)


def _limit(kind: int, bound: int) -> None:
    """Sets the soft limit to a bound, or to the caller's own hard limit where that is lower."""
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (bound if hard == resource.RLIM_INFINITY else min(bound, hard), hard))


def main() -> None:
    """Reads the files that the arguments name."""
    _limit(resource.RLIMIT_AS, ADDRESS_SPACE_BYTES)
    _limit(resource.RLIMIT_DATA, MEMORY_BYTES)
    _limit(resource.RLIMIT_CORE, 0)
    job = msgspec.json.decode(sys.argv[1], type=ReadJob)
    parts = []
    for path in sys.argv[2:]:
        _limit(resource.RLIMIT_CPU, math.ceil(time.process_time()) + CPU_S)
        part = msgspec.json.encode(answer(job, Path(path)))
        if len(part) > ANSWER_LIMIT_BYTES:
            part = msgspec.json.encode(_too_much(f"expected facts of up to {ANSWER_LIMIT_BYTES} bytes, there are more"))
        parts.append(part)
    sys.stdout.buffer.write(b"[" + b",".join(parts) + b"]")
    sys.stdout.buffer.flush()
    os._exit(0)  # what is mapped is unmapped faster so
