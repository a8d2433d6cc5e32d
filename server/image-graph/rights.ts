/** What the image graph may do, and why; manifests, documents and tests are made from it. */
export const rights = {
  cluster: [
    { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'], why: 'which images run where' },
    { apiGroups: [''], resources: ['nodes'], verbs: ['list', 'watch'], why: 'how large images are' },
    {
      apiGroups: [''],
      resources: ['namespaces'],
      verbs: ['get', 'list'],
      why: "whose history it is: a deleted namespace's is not shown to the next owner of its name",
    },
  ],
  namespace: [
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      verbs: ['create'],
      why: 'one writer of the journal',
    },
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      resourceNames: ['deckwatch-image-graph'],
      verbs: ['get', 'update'],
      why: 'one writer of the journal',
    },
  ],
} as const
