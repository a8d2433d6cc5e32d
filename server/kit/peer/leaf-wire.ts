/** Where leaves are handed out, on the api's listener. */
export const LEAF_PATH = '/peer/v1/leaf'

/** Under which authority a leaf is wanted: the companion's own for peers, or the one that kube-apiserver is told. */
export type LeafProfile = 'peer' | 'serving'

/** What is answered to a request for a leaf; both are PEM. */
export interface LeafAnswer {
  readonly certificate: string
  /** Every authority of that profile whose leaves may be about. */
  readonly authorities: string
}

/** Reads an answer; undefined where it is none. */
export function readLeafAnswer(text: string): LeafAnswer | undefined {
  try {
    const { certificate, authorities } = JSON.parse(text) as Partial<Record<keyof LeafAnswer, unknown>>
    return typeof certificate === 'string' && typeof authorities === 'string'
      ? { certificate, authorities }
      : undefined
  } catch {
    return undefined
  }
}
