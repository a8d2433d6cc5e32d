/** About what a file of test/cluster takes beside others, in seconds, with what it starts and ends. */
const ABOUT_SECONDS: Readonly<Record<string, number>> = {
  'api-rights': 40,
  'audit-export': 20,
  'audit-faults': 110,
  'audit-faults-disk': 35,
  'audit-faults-network': 55,
  'audit-forged': 15,
  'audit-join': 75,
  'audit-purge': 50,
  'audit-recorder': 75,
  'audit-registration': 35,
  'audit-replicas': 90,
  'audit-rights': 50,
  'audit-secrets': 40,
  'blame-companion': 65,
  chart: 25,
  'companion-faults-apart': 55,
  'companion-faults-churn': 90,
  'companion-faults-data': 75,
  'companion-faults-list': 45,
  'companion-faults-time': 70,
  'companion-faults-upgrade': 30,
  'companion-process': 35,
  demo: 90,
  'follow-churn': 60,
  'follow-outages': 70,
  'image-graph': 25,
  'images-companion-follow': 85,
  install: 85,
  'kit-lease': 40,
  kit: 50,
  'least-rights': 60,
  manifests: 40,
}
const OTHERS_SECONDS = 10

/** Lays files into so many lists that take about the same time; each keeps their order, and none is empty where there are enough. */
export function splitFiles(files: readonly string[], count: number): readonly (readonly string[])[] {
  const lists = Array.from({ length: count }, () => ({ seconds: 0, files: new Set<string>() }))
  for (const file of files.toSorted((one, other) => secondsOf(other) - secondsOf(one))) {
    const shortest = lists.reduce((found, list) => (list.seconds < found.seconds ? list : found))
    shortest.seconds += secondsOf(file)
    shortest.files.add(file)
  }
  return lists.map((list) => files.filter((file) => list.files.has(file))).filter(({ length }) => length > 0)
}

function secondsOf(file: string): number {
  const name = /([^/]+)\.test\.ts$/.exec(file)?.[1] ?? ''
  return ABOUT_SECONDS[name] ?? OTHERS_SECONDS
}
