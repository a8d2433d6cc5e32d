/** What the api may do, and why; manifests, documents and tests are made from it. */
export const rights = {
  cluster: [
    {
      apiGroups: [''],
      resources: ['namespaces'],
      verbs: ['get'],
      why: "whose objects they are: a deleted namespace's are not shown to the next owner of its name",
    },
    {
      apiGroups: [''],
      resources: ['namespaces'],
      resourceNames: ['{namespace}'],
      verbs: ['list', 'watch'],
      why: 'to remove its APIService before its own namespace goes: without a server it would hold up the deletion of every namespace',
    },
    {
      apiGroups: ['apiregistration.k8s.io'],
      resources: ['apiservices'],
      resourceNames: ['v1alpha1.deckwatch.dev'],
      verbs: ['list', 'watch', 'patch', 'delete'],
      why: 'to keep the authority of its own certificate there, and to remove it',
    },
  ],
  namespace: [
    {
      apiGroups: [''],
      resources: ['secrets'],
      verbs: ['create'],
      why: 'to keep the keys of its certificates',
    },
    {
      apiGroups: [''],
      resources: ['secrets'],
      resourceNames: ['deckwatch-tls', 'deckwatch-peer-ca'],
      verbs: ['get', 'update'],
      why: 'to keep the keys of its certificates; no other Secret can be read, none listed or watched',
    },
    {
      apiGroups: [''],
      resources: ['configmaps'],
      verbs: ['create'],
      why: 'to publish the authorities that pods of the companion trust',
    },
    {
      apiGroups: [''],
      resources: ['configmaps'],
      resourceNames: ['deckwatch-ca'],
      verbs: ['get', 'patch'],
      why: 'to publish the authorities that pods of the companion trust',
    },
  ],
  kubeSystemRoles: [
    {
      name: 'extension-apiserver-authentication-reader',
      why: "the authority of the API server's front proxy, by which callers are known",
    },
  ],
} as const
