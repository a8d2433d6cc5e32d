import { labelsOf } from './labels.ts'
import { makeManifest, type Manifest } from './manifest.ts'
import type { DeployValues } from './values.ts'

/** The Pod Security level that the namespace enforces: restricted, unless pods need the node's folders or network. */
function podSecurity({ storage, hostNetwork }: DeployValues): 'restricted' | 'privileged' {
  return storage.type === 'hostPath' || hostNetwork ? 'privileged' : 'restricted'
}

/** The namespace of the companion. */
export function namespace(values: DeployValues): Manifest {
  const level = podSecurity(values)
  const modes = level === 'restricted' ? ['enforce', 'audit', 'warn'] : ['enforce']
  return makeManifest('namespace', {
    kind: 'Namespace',
    name: values.namespace,
    labels: {
      ...labelsOf('companion'),
      ...Object.fromEntries(modes.map((mode) => [`pod-security.kubernetes.io/${mode}`, level])),
    },
    fields: {},
  })
}
