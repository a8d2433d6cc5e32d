/** Choices that between them reach every branch of the manifests and of the chart, as `--set` arguments. */
export const VALUE_SETS: Readonly<Record<string, readonly string[]>> = {
  'the defaults': [],
  'a folder of one node': [
    'storage.type=hostPath',
    'storage.path=/srv/deckwatch',
    'storage.node=node-1.example.org',
    'imagePullSecrets={registry,mirror}',
    'imagePullPolicy=Always',
    'priorityClassName=system-cluster-critical',
    'logLevel=debug,imageGraph.historyDays=30,imageGraph.historyEvents=2000000,imageGraph.historySize=1Gi',
    'resources.requests.cpu=250m,resources.requests.memory=256Mi,resources.limits.memory=1Gi',
  ],
  'the api apart': [
    'apiReplicas=2',
    'metrics.from={monitoring,ops}',
    'metrics.auth=true',
    'storage.storageClass=fast',
    'storage.size=20Gi',
    'tolerations[0].key=dedicated,tolerations[0].operator=Equal,tolerations[0].value=infra,tolerations[0].effect=NoSchedule',
    'tolerations[1].key=node.kubernetes.io/unreachable,tolerations[1].operator=Exists,tolerations[1].effect=NoExecute',
    'tolerations[1].tolerationSeconds=30',
    'nodeSelector.kubernetes\\.io/os=linux',
  ],
  'the network of the host': [
    'hostNetwork=true',
    'ports.api=4443,ports.peer=4444,ports.metrics=4445',
    'storage.type=emptyDir',
    'storage.size=1Gi',
    'apiReplicas=1',
  ],
  'no network policy': ['networkPolicy=false', 'image=registry.example.org:5000/deckwatch@sha256:0123'],
}
