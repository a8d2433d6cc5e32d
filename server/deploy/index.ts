export { OWNED_SELECTOR, MANAGED_BY, MANAGED_BY_HELM } from './labels.ts'
export { pathOf, type Kind } from './kinds.ts'
export type { KubeObject, Manifest, Step } from './manifest.ts'
export { NAMES } from './names.ts'
export { ownedKinds, type OwnedKind } from './owned-kinds.ts'
export { ValuesError } from './values-error.ts'
export { DEFAULT_VALUES, type DeployValues } from './values.ts'
// Next, in this form:
//   manifests(values: DeployValues): readonly Manifest[]            in the order of application, the APIService last
//   readValues(defaults: DeployValues, sets: readonly string[]): DeployValues      `--set KEY=VALUE`; throws ValuesError
//   checkValues(values: DeployValues): readonly string[]            the warnings; throws ValuesError where it cannot be
//   describeRights(values: DeployValues): readonly AccountRights[]  { account, components, rights: { what, why }[], takenOver }[]
