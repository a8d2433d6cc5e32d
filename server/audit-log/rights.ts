/** What the audit log may do, and why; manifests, documents and tests are made from it. */
export const rights = {
  cluster: [
    {
      apiGroups: [''],
      resources: [
        'pods',
        'services',
        'configmaps',
        'serviceaccounts',
        'namespaces',
        'persistentvolumeclaims',
      ],
      verbs: ['list', 'watch'],
      why: 'what of the recorded writes landed; of pods the metadata alone is asked for',
    },
    {
      apiGroups: ['apps'],
      resources: ['deployments', 'statefulsets', 'daemonsets'],
      verbs: ['list', 'watch'],
      why: 'what of the recorded writes landed',
    },
    {
      apiGroups: ['batch'],
      resources: ['jobs', 'cronjobs'],
      verbs: ['list', 'watch'],
      why: 'what of the recorded writes landed',
    },
    {
      apiGroups: ['networking.k8s.io'],
      resources: ['ingresses'],
      verbs: ['list', 'watch'],
      why: 'what of the recorded writes landed',
    },
    {
      apiGroups: ['rbac.authorization.k8s.io'],
      resources: ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'],
      verbs: ['list', 'watch'],
      why: 'what of the recorded writes landed',
    },
    {
      apiGroups: ['autoscaling'],
      resources: ['horizontalpodautoscalers'],
      verbs: ['list', 'watch'],
      why: 'what of the recorded writes landed',
    },
    {
      apiGroups: ['apiextensions.k8s.io'],
      resources: ['customresourcedefinitions'],
      verbs: ['list', 'watch'],
      why: 'what of the recorded writes landed',
    },
    {
      apiGroups: ['admissionregistration.k8s.io'],
      resources: ['validatingwebhookconfigurations'],
      resourceNames: ['deckwatch-audit-log'],
      verbs: ['get', 'list', 'watch', 'update', 'patch'],
      why: 'to say what is recorded, to notice when somebody else says otherwise, and to stop when its namespace goes; it can neither make nor delete one',
    },
  ],
  namespace: [
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      verbs: ['create'],
      why: 'one that joins what was asked for with what landed',
    },
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      resourceNames: ['deckwatch-audit-log'],
      verbs: ['get', 'update'],
      why: 'one that joins what was asked for with what landed',
    },
    {
      apiGroups: [''],
      resources: ['secrets'],
      verbs: ['create'],
      why: 'to keep the key by which values are made unreadable, and the secret path of its webhook',
    },
    {
      apiGroups: [''],
      resources: ['secrets'],
      resourceNames: ['deckwatch-audit-log'],
      verbs: ['get', 'update'],
      why: 'to keep the key by which values are made unreadable, and the secret path of its webhook',
    },
    {
      apiGroups: [''],
      resources: ['configmaps'],
      resourceNames: ['deckwatch-purge'],
      verbs: ['update'],
      why: 'to answer who asks it to take values out of the history (kubectl deckwatch purge)',
    },
  ],
} as const
