/** What every pod of the companion may do, whatever runs in it. */
export const podRights = {
  cluster: [],
  namespace: [],
  clusterRoles: [
    {
      name: 'system:auth-delegator',
      why: 'asks the API server who bears a token and what the caller of a request may see',
    },
  ],
} as const

/** What a pod without the api may do beside its rooms' rights. */
export const apartRights = {
  cluster: [],
  namespace: [
    {
      apiGroups: [''],
      resources: ['configmaps'],
      resourceNames: ['deckwatch-ca'],
      verbs: ['get'],
      why: 'whom to trust among the pods of the companion',
    },
  ],
} as const
