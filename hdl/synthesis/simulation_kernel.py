"""The inner loop of the netlist simulation: C, written from the library's functions."""

import ctypes
import platform
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from kakure.model.files.c_library import c_library

from .liberty import library

__all__ = ["Kernel", "kernel", "operand_pins"]

CACHE = Path("build/cache/netlist_simulation")

_PIN = re.compile(r"[A-Za-z]\w*")

_HEAD = """
#include <stdint.h>
typedef uint64_t u64;
typedef int64_t i64;
#define POP(x) ((u64)__builtin_popcountll(x))
#define RUN(f) for (int n = 0; n < size; n++, in += 6, out++) { \\
    u64 a = v[in[0]], b = v[in[1]], c = v[in[2]], d = v[in[3]], e = v[in[4]], g = v[in[5]]; \\
    (void)a; (void)b; (void)c; (void)d; (void)e; (void)g; \\
    u64 new = (f) & mask, change = new ^ v[out]; \\
    counts[out] += POP(change); v[out] = new; changes |= change; } break;

void evaluate(const int32_t *runs, const u64 *part, const u64 *readers, i64 many,
              const int32_t *in, u64 *v, u64 *counts, i64 out, u64 mask, u64 *dirty) {
  for (i64 run = 0; run < many; run++) {
    int size = runs[2 * run + 1];
    u64 changes = 0;
    if (!(*dirty & part[run])) { in += 6 * size; out += size; continue; }
    switch (runs[2 * run]) {
"""

_TAIL = """
    }
    if (changes) *dirty |= readers[run];
  }
  *dirty = 0;
}

static i64 same(const u64 *v, const i64 *slots, i64 bits, u64 mask) {
  i64 address = 0;
  for (i64 b = 0; b < bits; b++) {
    u64 x = v[slots[b]] & mask;
    if (x == mask) address |= (i64)1 << b;
    else if (x) return -1;
  }
  return address;
}

static i64 lane_address(const u64 *v, const i64 *slots, i64 bits, int lane) {
  i64 address = 0;
  for (i64 b = 0; b < bits; b++) address |= (i64)(v[slots[b]] >> lane & 1) << b;
  return address;
}

static void access(const u64 *v, const i64 *row, u64 *memory, u64 *accesses, u64 mask, u64 *next) {
  i64 depth = row[0], width = row[1], bits = row[2];
  memory += row[3];
  const i64 *port = row + 4;
  u64 writes = v[port[0]] & mask, reads = v[port[1]] & mask;
  const i64 *to = port + 2, *from = to + bits, *data = from + bits, *q = data + width;
  accesses[0] += POP(reads);
  accesses[1] += POP(writes);
  accesses[2] = reads;
  if (!(writes | reads)) return;
  i64 wa = same(v, to, bits, mask), ra = same(v, from, bits, mask);
  if (writes && wa >= 0) {
    if (wa < depth) for (i64 b = 0; b < width; b++) {
      u64 *cell = memory + wa * width + b;
      *cell = (*cell & ~writes) | (v[data[b]] & writes);
    }
  } else if (writes) for (int lane = 0; lane < 64; lane++) if (writes >> lane & 1) {
    i64 word = lane_address(v, to, bits, lane);
    u64 one = (u64)1 << lane;
    if (word < depth) for (i64 b = 0; b < width; b++) {
      u64 *cell = memory + word * width + b;
      *cell = (*cell & ~one) | (v[data[b]] & one);
    }
  }
  for (i64 b = 0; b < width; b++) {
    u64 new = v[q[b]] & ~reads;
    if (ra >= 0) { if (ra < depth) new |= memory[ra * width + b] & reads; }
    else for (int lane = 0; lane < 64; lane++) if (reads >> lane & 1) {
      i64 word = lane_address(v, from, bits, lane);
      if (word < depth) new |= memory[word * width + b] & ((u64)1 << lane);
    }
    *next++ = new;
  }
}

static inline void take(i64 slot, u64 new, u64 *v, u64 *counts, const u64 *readers, u64 *dirty) {
  u64 change = new ^ v[slot];
  if (!change) return;
  counts[slot] += POP(change);
  v[slot] = new;
  *dirty |= readers[slot];
}

void clock_edge(u64 *v, u64 *counts, i64 gates, const int32_t *enable, u64 *enabled,
                u64 *gate_counts, i64 groups, const int32_t *group, i64 flops,
                const int32_t *data, const int32_t *state, u64 *next, i64 memories,
                const int32_t *rows, const i64 *table, u64 *memory, u64 *accesses,
                const u64 *readers, u64 mask, u64 *dirty) {
  for (i64 g = 0; g < gates; g++) {
    enabled[g] = v[enable[g]] & mask;
    gate_counts[g] += POP(enabled[g]);
  }
  for (i64 g = 0; g < groups; g++) {
    u64 on = group[2 * g] < 0 ? mask : enabled[group[2 * g]];
    if (on) for (i64 f = group[2 * g + 1]; f < group[2 * g + 3]; f++)
      next[f] = (v[data[f]] & on) | (v[state[f]] & ~on);
  }
  u64 *word = next + flops;
  for (i64 m = 0; m < memories; word += table[rows[m++] + 1])
    access(v, table + rows[m], memory, accesses + 3 * m, mask, word);
  for (i64 g = 0; g < groups; g++) {
    if (group[2 * g] >= 0 && !enabled[group[2 * g]]) continue;
    for (i64 f = group[2 * g + 1]; f < group[2 * g + 3]; f++)
      take(state[f], next[f], v, counts, readers, dirty);
  }
  word = next + flops;
  for (i64 m = 0; m < memories; word += table[rows[m++] + 1]) {
    const i64 *row = table + rows[m];
    const i64 *q = row + 6 + 2 * row[2] + row[1];
    if (accesses[3 * m + 2]) for (i64 b = 0; b < row[1]; b++) if (q[b])
      take(q[b], word[b], v, counts, readers, dirty);
  }
}
"""


@dataclass(frozen=True)
class Kernel:
    """The compiled loop, and the code that it knows each Liberty function by."""

    library: ctypes.CDLL
    codes: dict[str, int]


def operand_pins(function: str) -> list[str]:
    """Input pins of a Liberty function, in the order of their first use."""
    return list(dict.fromkeys(_PIN.findall(function)))


def _expression(function: str) -> str:
    names = dict(zip(operand_pins(function), "abcdeg", strict=False))
    return _PIN.sub(lambda found: names[found[0]], function).replace("!", "~")


def _functions() -> list[str]:
    found = {
        pin.function
        for cell in library().cells.values()
        if not cell.is_sequential
        for pin in cell.pins.values()
        if pin.direction == "output" and pin.function not in (None, "0", "1")
    }
    return sorted(f for f in found if f is not None and len(operand_pins(f)) <= 6)


@lru_cache(maxsize=1)
def kernel() -> Kernel:
    """Compile the loop, or take it from the cache.

    Raises
    ------
    UserError
        If there is no C compiler, or it refuses.
    """
    functions = _functions()
    cases = [f"      case {n}: RUN({_expression(f)})" for n, f in enumerate(functions)]
    text = _HEAD + "\n".join(cases) + _TAIL
    options = ["-O2", "-w"]
    if platform.machine() == "x86_64":
        options.append("-mpopcnt")
    found = c_library("the netlist simulation", text, options, CACHE)
    return Kernel(found, {f: n for n, f in enumerate(functions)})
