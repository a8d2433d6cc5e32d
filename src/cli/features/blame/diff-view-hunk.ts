/** A line of a unified diff: taken out, put in, or the same in both. */
export interface DiffLine {
  readonly mark: '-' | '+' | ' '
  readonly text: string
}

/** Lines that belong together, and where they stand: `containers[app]`; empty for the object itself. */
export interface DiffHunk {
  readonly heading: string
  readonly lines: readonly DiffLine[]
}
