"""`./toxw -e bench`: prints the figures, each as a median over rounds."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Sequence

from dmconform.measure.bench import commands, matrix
from dmconform.report.slowest import waits_in_words


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark and prints its figures."""
    parser = argparse.ArgumentParser(
        prog="python -m dmconform.measure.bench",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="What the matrix and the commands cost.",
        epilog="examples:\n  ./toxw -e bench\n  ./toxw -e bench -- --commands\n  ./toxw -e bench -- --cold --rounds 5",
    )
    parser.add_argument("--rounds", type=int, default=3, help="warm matrices to run (default: 3); commands run thrice as often")
    parser.add_argument("--cold", action="store_true", help="also one matrix from nothing, without upstream's repository")
    parser.add_argument("--commands", action="store_true", help="only the commands, no matrix")
    parser.add_argument("run", nargs="*", help="arguments of dmconform run, such as --sdk '*@*:reference' (after --)")
    chosen = parser.parse_args(arguments)
    if not chosen.commands:
        figures = matrix.measure(chosen.rounds, chosen.cold, chosen.run)
        print(
            f"warm default matrix: {statistics.median(figures.warm_s):.1f} s "
            f"(median of {len(figures.warm_s)}; {figures.cells} cells ran, {os.cpu_count() or 1} at once)"
        )
        cold = f"{figures.cold_s / 60:.1f} min (one run)" if figures.cold_s else "not measured; add --cold"
        print(f"cold default matrix: {cold}")
        ratios = figures.cell_ratios
        print(f"a cell costs {statistics.median(ratios):.2f} bare Envoys (median of {len(ratios)}, same run)")
        print("the slowest cells of the last matrix:")
        for cell in figures.slowest:
            print(f"  {cell.duration_s * 1000:.0f} ms {cell.id}: {waits_in_words(cell)}")
    for one in commands.measure(chosen.rounds * 3):
        print(f"{one.what}: {one.median_s:.2f} s (goal: under {one.goal_s:g} s; {one.ratio:.1f} times {one.yardstick})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
