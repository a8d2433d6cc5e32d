import type { Config } from './config.ts'

/** What is wrong with settings that are right one by one; sentences. */
export function checkTogether(config: Config): string[] {
  const { components, peers, apiAddress, peerAddress } = config
  const rooms = components.filter((component) => component !== 'api')
  const problems: string[] = []
  if (components.includes('api')) {
    if (rooms.length + peers.length === 0) {
      problems.push('--components api: it has nothing to serve, name a component or its pod by --peers')
    }
    if (apiAddress === '') problems.push('--api-address "": the api must listen somewhere')
  } else {
    if (peers.length > 0) problems.push('--peers: only the api asks other pods, and --components has no api')
    if (peerAddress === '') problems.push('--peer-address "": without the api nobody else serves the readers')
  }
  for (const { component } of peers) {
    if (rooms.includes(component))
      problems.push(`--peers ${component}: it runs in this process (--components)`)
  }
  const addresses = [apiAddress, config.metricsAddress, ...(components.includes('api') ? [] : [peerAddress])]
  const fixed = addresses.filter((address) => address !== '' && !address.endsWith(':0'))
  if (new Set(fixed).size < fixed.length)
    problems.push(`two listeners have the same address: ${fixed.join(', ')}`)
  return problems
}
