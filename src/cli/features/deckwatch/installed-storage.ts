import type { DeployValues } from '../../../../server/deploy/index.ts'
import { fieldOf, type StoredObject } from './stored-object.ts'

interface PodTemplate {
  readonly template?: {
    readonly spec?: { readonly volumes?: readonly Volume[]; readonly affinity?: Affinity }
  }
}

interface Affinity {
  readonly nodeAffinity?: {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: {
      readonly nodeSelectorTerms: readonly {
        readonly matchFields?: readonly { readonly key: string; readonly values?: readonly string[] }[]
      }[]
    }
  }
}

interface Volume {
  readonly name: string
  readonly persistentVolumeClaim?: object
  readonly hostPath?: { readonly path: string }
  readonly emptyDir?: object
}

/** Where an installed companion keeps its data; undefined where none is installed. */
export function installedStorage(
  deployment: StoredObject | undefined,
): Partial<DeployValues['storage']> | undefined {
  const { volumes = [], affinity } = fieldOf<PodTemplate>(deployment, 'spec').template?.spec ?? {}
  const data = volumes.find(({ name }) => name === 'data')
  if (data?.persistentVolumeClaim) return { type: 'pvc' }
  if (data?.emptyDir) return { type: 'emptyDir' }
  if (!data?.hostPath) return undefined
  const node = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
    .flatMap(({ matchFields = [] }) => matchFields)
    .find(({ key }) => key === 'metadata.name')?.values?.[0]
  return { type: 'hostPath', path: data.hostPath.path, ...(node === undefined ? {} : { node }) }
}
