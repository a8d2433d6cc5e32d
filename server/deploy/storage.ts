import { labelsOf } from './labels.ts'
import { makeManifest, type Manifest } from './manifest.ts'
import { NAMES } from './names.ts'
import type { DeployValues } from './values.ts'

/** The claim of the volume; nothing where the store lies in a folder of the node or ends with the pod. */
export function storage({
  namespace,
  storage: { type, size, storageClass },
}: DeployValues): readonly Manifest[] {
  if (type !== 'pvc') return []
  return [
    makeManifest('storage', {
      kind: 'PersistentVolumeClaim',
      name: NAMES.data,
      namespace,
      labels: labelsOf('companion'),
      fields: {
        spec: {
          accessModes: ['ReadWriteOnce'],
          ...(storageClass === '' ? {} : { storageClassName: storageClass }),
          resources: { requests: { storage: size } },
        },
      },
    }),
  ]
}

/** The volume of the store in a pod. */
export function dataVolume({ storage: { type, size, path } }: DeployValues): unknown {
  switch (type) {
    case 'pvc':
      return { name: 'data', persistentVolumeClaim: { claimName: NAMES.data } }
    case 'hostPath':
      return { name: 'data', hostPath: { path, type: 'DirectoryOrCreate' } }
    case 'emptyDir':
      return { name: 'data', emptyDir: { sizeLimit: size } }
  }
}
