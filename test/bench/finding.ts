import type { Distribution } from './distribution.ts'

/** One line of the report. */
export interface Finding {
  /** What was measured. */
  readonly what: string
  readonly ours: string
  /** What it was measured beside; left out where there is no rival. */
  readonly rival?: { readonly name: string; readonly result: string }
  /** Ours divided by the rival's, in medians and in least disturbed runs. */
  readonly ratio?: { readonly median: number; readonly min?: number }
  /** Left out where a figure is only for information. */
  readonly bar?: { readonly text: string; readonly met: boolean }
}

/** Two contenders' times beside each other; the ratio of medians is held against `bar` where there is one. */
export function comparison(
  what: string,
  ours: Distribution,
  rival: { readonly name: string; readonly times: Distribution },
  bar?: number,
): Finding {
  const median = ours.median / rival.times.median
  return {
    what,
    ours: milliseconds(ours.median),
    rival: { name: rival.name, result: milliseconds(rival.times.median) },
    ratio: { median, min: ours.min / rival.times.min },
    ...(bar === undefined ? {} : { bar: { text: `≤ ${bar}`, met: median <= bar } }),
  }
}

/** A peak of memory in bytes beside a rival's; `bar` is in megabytes (10^6 bytes). */
export function memory(
  what: string,
  ours: number,
  rival: { readonly name: string; readonly bytes: number },
  bar?: number,
): Finding {
  return {
    what,
    ours: megabytes(ours),
    rival: { name: rival.name, result: megabytes(rival.bytes) },
    ratio: { median: ours / rival.bytes },
    ...(bar === undefined ? {} : { bar: { text: `≤ ${bar} MB`, met: ours <= bar * 1e6 } }),
  }
}

/** `4.5 ms`, `812 ms`. */
export function milliseconds(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`
}
