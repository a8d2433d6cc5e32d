/** Who asks, as the API server authenticated them (front proxy headers, or the identity that a peer passes on). */
export interface Caller {
  readonly username: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}
