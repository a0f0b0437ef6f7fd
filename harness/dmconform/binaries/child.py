"""The process that opens binaries: bounded, so that no bytes of theirs can crash, hang or fill the tool.

Its arguments are a `Job` as JSON, and the files. The answer goes to standard output: a JSON list with one `Answer` for
each file, in order.
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path
from typing import Final

import msgspec

from dmconform.binaries.elf import Malformed
from dmconform.binaries.facts import ReachFacts
from dmconform.binaries.host import host_facts
from dmconform.binaries.messages import ReadAnswer, ReadAs, ReadJob
from dmconform.binaries.module import defined_versions, export_names, module_facts

ADDRESS_SPACE_BYTES: Final = 3 << 30
CPU_S: Final = 30  # shorter than the time-out of the reader
ANSWER_LIMIT_BYTES: Final = 16 << 20  # for one file


def answer(job: ReadJob, path: Path) -> ReadAnswer:
    """Reads one file. An unexpected error becomes its problem, too."""
    try:
        return _contents(job, path)
    except Malformed as problem:
        return ReadAnswer(problem=str(problem))
    except MemoryError:
        return ReadAnswer(problem=f"expected to be read within {ADDRESS_SPACE_BYTES} bytes of memory, it takes more")
    except Exception as error:  # an error caused by foreign bytes is reported, not raised
        return ReadAnswer(
            problem=f"expected an ELF file that makes sense, reading it ended with {type(error).__name__}: {error}"
        )


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


def main() -> None:
    """Reads the files that the arguments name."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    job = msgspec.json.decode(sys.argv[1], type=ReadJob)
    parts = []
    for path in sys.argv[2:]:
        part = msgspec.json.encode(answer(job, Path(path)))
        if len(part) > ANSWER_LIMIT_BYTES:
            part = msgspec.json.encode(
                ReadAnswer(problem=f"expected facts of up to {ANSWER_LIMIT_BYTES} bytes, there are more")
            )
        parts.append(part)
    sys.stdout.buffer.write(b"[" + b",".join(parts) + b"]")
    sys.stdout.buffer.flush()
    os._exit(0)  # what is mapped is unmapped faster so
