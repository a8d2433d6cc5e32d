import { VERSION } from './version.ts'

/** Which part of the installation an object belongs to; also in the selectors of Deployments, which are immutable. */
export type Part = 'companion' | 'api'

/** `app.kubernetes.io/managed-by` of what `kubectl deckwatch install` applies; Helm writes its own name there. */
export const MANAGED_BY = 'kubectl-deckwatch'

/** `app.kubernetes.io/managed-by` of what Helm applies. */
export const MANAGED_BY_HELM = 'Helm'

/** Selects everything of an installation: what was applied, and what the companion made for itself. */
export const OWNED_SELECTOR = 'app.kubernetes.io/name=deckwatch'

/** Labels by which pods of a part are selected; they never change. */
export function selectorOf(part: Part): Readonly<Record<string, string>> {
  return { 'app.kubernetes.io/name': 'deckwatch', 'app.kubernetes.io/component': part }
}

/** The labels of every object. */
export function labelsOf(part: Part): Readonly<Record<string, string>> {
  return {
    ...selectorOf(part),
    'app.kubernetes.io/part-of': 'deckwatch',
    'app.kubernetes.io/version': VERSION,
    'app.kubernetes.io/managed-by': MANAGED_BY,
  }
}
