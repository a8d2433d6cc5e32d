import { apartRights, podRights } from '../kit/rights.ts'
import { rights as apiRights } from '../kit/api/rights.ts'
import { COMPONENTS, type Component } from './components.ts'
import type { Part } from './labels.ts'
import { NAMES } from './names.ts'
import { uniteRights, type Right, type Rights } from './rights.ts'
import type { DeployValues } from './values.ts'

/** The pods of one Deployment, with a ServiceAccount of the same name. */
export interface PodGroup {
  readonly part: Part
  readonly name: string
  readonly replicas: number
  /** As `--components` takes them. */
  readonly components: readonly string[]
  readonly rights: Rights
  /** Whether it serves the API group, and so gets the Service of that name. */
  readonly servesApi: boolean
  /** Whether its rooms are read by other pods. */
  readonly servesPeers: boolean
  /** Whether it keeps a store. */
  readonly keepsData: boolean
}

/** Which pods an installation runs: the rooms with the api in one, or the api apart. */
export function podGroups(values: DeployValues): readonly PodGroup[] {
  const rooms = chosenComponents(values)
  const names = rooms.map(({ name }) => name)
  const roomRights = rooms.map(({ rights, chosen }) => withChosen(rights, chosen?.(values).rights ?? []))
  const companion = {
    part: 'companion',
    name: NAMES.companion,
    replicas: values.replicas,
    keepsData: true,
  } as const
  if (values.apiReplicas === 0) {
    return [
      {
        ...companion,
        components: ['api', ...names],
        rights: uniteRights([podRights, apiRights, ...roomRights]),
        servesApi: true,
        servesPeers: false,
      },
    ]
  }
  return [
    {
      ...companion,
      components: names,
      rights: uniteRights([podRights, apartRights, ...roomRights]),
      servesApi: false,
      servesPeers: true,
    },
    {
      part: 'api',
      name: NAMES.api,
      replicas: values.apiReplicas,
      components: ['api'],
      rights: uniteRights([podRights, apiRights]),
      servesApi: true,
      servesPeers: false,
      keepsData: false,
    },
  ]
}

function withChosen(rights: Rights, chosen: readonly Right[]): Rights {
  return { ...rights, cluster: [...rights.cluster, ...chosen] }
}

/** The chosen components in the order of all. */
export function chosenComponents({ components }: DeployValues): readonly Component[] {
  return COMPONENTS.filter(({ name }) => components.includes(name))
}
